"""``python -m bot`` is ``darkroom``."""

from bot.cli import main

if __name__ == "__main__":
    main()
