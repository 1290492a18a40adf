"""The ground every process stands on: settings, database, storage, Ray start-up, jobs client."""
