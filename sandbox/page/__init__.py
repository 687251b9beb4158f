"""The sandbox's page: a workspace to look at and to type into, in a browser on this machine."""
