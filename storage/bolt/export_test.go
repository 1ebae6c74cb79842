package bolt

// NoSync makes changes not wait for the disk: the test's process does not crash, and its file is thrown away.
func (s *Store) NoSync() { s.db.NoSync = true }
