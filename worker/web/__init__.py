"""What fakes other programs over HTTP."""
