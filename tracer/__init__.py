"""Lives in the application's process: sees each model call, has it guarded, records it, keeps it until delivered."""
