"""Stories: what a person does and then sees, over real sockets, with the whole of Darkroom in between."""
