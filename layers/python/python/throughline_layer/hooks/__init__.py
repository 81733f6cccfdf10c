"""One module for each library that is followed. `put_in(module)` is called once it was imported."""
