"""Composition: settings, the application factory, the command line and the HTTP endpoints. Imports everything, is imported by nothing."""
