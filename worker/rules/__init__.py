"""Pure rules: what follows from what is known. They read no clock, no setting and no database."""
