"""The pytest plugin: operations as tests, the fixture `gradcheck`, and a table of what was checked."""
