package peer

// Kept is how many networks and sites are remembered.
func (s *Shares) Kept() int { return len(s.networks) + len(s.sites) }
