"""What is set: every setting of the application, the Celery configuration and the log format."""
