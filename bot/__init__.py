"""The running bot: settings in, a running Darkroom out."""
