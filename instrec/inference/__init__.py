"""From audio of any length to instruments and a timeline."""
