"""The fault campaign: a seeded storm over the whole application, and checkers over what became of every order."""
