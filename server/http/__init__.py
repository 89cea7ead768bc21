"""HTTP endpoints of Hearth itself, one file each; ``server/app.py`` mounts them."""
