"""How requests leave: the process's loop and client, limits, turns, and the record of every answer."""
