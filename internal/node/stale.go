package node

// again makes the part again of its files, and remembers why it could not: what is in use is then not what the files say.
func (w *watched) again() error {
	err := w.reload()
	w.failed.Store(&err)
	return err
}

// stale returns why the files in use are not those on the disk, nil where they are.
func (w *watched) stale() error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// stale reports whether files could not be read again since they changed. Which, and why, is in the log alone: anybody may
// ask a probe.
func (n *Node) stale() bool {
	for _, w := range n.parts {
		if w.stale() != nil {
			return true
		}
	}
	return false
}
