"""The loss bench: speech over lossy legs through the real engine, decoded and scored."""
