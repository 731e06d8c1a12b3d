"""HTTP servers: today the receiver of push messages."""
