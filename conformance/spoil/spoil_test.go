package spoil_test

import (
	"testing"

	"regain/conformance/spoil"
)

// What is no JWT stays what it is, or nearly: nothing here fails.
func TestSpoilingWhatIsNoJWT(t *testing.T) {
	for _, text := range []string{"", "x", "a.b", "a.b.c.d", "!.!.!", "bnVsbA.bnVsbA.", "e30.W10.AA"} {
		if spoil.Signature(text) == text {
			t.Errorf("%q has the same signature", text)
		}
		spoil.Unsigned(text)
		if got := spoil.Subject(text, map[string]any{"a": "b"}); text != "e30.W10.AA" && got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestSpoil(t *testing.T) {
	const text = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpYXQiOjE3LCJ2YyI6eyJjcmVkZW50aWFsU3ViamVjdCI6eyJhIjoieCIsImIiOiJ5In19fQ.AAAA"
	for want, got := range map[string]string{
		"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpYXQiOjE3LCJ2YyI6eyJjcmVkZW50aWFsU3ViamVjdCI6eyJhIjoieCIsImIiOiJ5In19fQ.AAEA": spoil.Signature(text),
		"eyJhbGciOiJub25lIiwia2lkIjoiayJ9.eyJpYXQiOjE3LCJ2YyI6eyJjcmVkZW50aWFsU3ViamVjdCI6eyJhIjoieCIsImIiOiJ5In19fQ.":       spoil.Unsigned(text),
		"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpYXQiOjE3LCJ2YyI6eyJjcmVkZW50aWFsU3ViamVjdCI6eyJhIjoieiIsImIiOiJ5In19fQ.AAAA": spoil.Subject(text, map[string]any{"a": "z"}),
	} {
		if got != want {
			t.Errorf("got %s, not %s", got, want)
		}
	}
}
