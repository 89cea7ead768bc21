"""People come and go: what a node holds afterwards."""
