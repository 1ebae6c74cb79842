package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"regain/verifier/mdoc"
)

// BenchmarkVerify is a whole verification, reading and two signatures, in turns with two bare ones: `x-bare` is how many
// times as long the whole takes as what of it cannot be avoided.
func BenchmarkVerify(b *testing.B) {
	s := newScene(b)
	text, key := s.present(b), &s.issuer.SignsDocuments.Key.PublicKey
	digest := sha256.Sum256([]byte(text))
	signature, err := ecdsa.SignASN1(rand.Reader, s.holder.Key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	var whole, bare time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		p, err := mdoc.ParseInsecure(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.VerifyHolder(s.want); err != nil {
			b.Fatal(err)
		}
		if err := p.VerifyIssuer(key); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		for range 2 {
			if !ecdsa.VerifyASN1(&s.holder.Key.PublicKey, digest[:], signature) {
				b.Fatal("signature does not verify")
			}
		}
		whole, bare = whole+middle.Sub(start), bare+time.Since(middle)
	}
	b.ReportMetric(float64(whole.Nanoseconds())/float64(b.N), "ns/whole")
	b.ReportMetric(float64(whole)/float64(bare), "x-bare")
}
