package status

// Inflate decompresses the list of a token and returns its length in bytes.
func (l List) Inflate() (n int, err error) {
	list, err := inflate(l.entries)
	for _, chunk := range list {
		n += len(chunk)
	}
	return n, err
}
