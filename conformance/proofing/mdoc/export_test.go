package mdoc

// EncodeTranscript shows the session transcript to the test with the vectors of the specification.
func EncodeTranscript(h Handover) ([]byte, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return c.transcript(h)
}
