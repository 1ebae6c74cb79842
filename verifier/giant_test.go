package verifier_test

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"regain/internal/publickey/publickeytest"
	"regain/verifier"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// nobody is a party that a giant certifies, if it is believed before anybody looks: its leaf is in order, and whoever
// verifies the leaf calculates with a modulus of so many bits.
func nobody(t testing.TB, bits, exponent int) verifiertest.Party {
	t.Helper()
	key := verifiertest.NewKey(t)
	return verifiertest.Party{Key: key, Chain: publickeytest.Chain(t, &key.PublicKey, publickeytest.RSA(bits, exponent))}
}

const usual = 65537

// Nobody signs an x5chain, and everybody may sign a credential: the authority above the leaf is the attacker's to
// choose. One of 720,000 bits took two minutes.
func TestGiantAuthorities(t *testing.T) {
	for bits, says := range map[int]string{16_384: "an RSA modulus of 16384 bits", 120_000: "an RSA modulus of 120000 bits"} {
		l := newLicence(t)
		l.mdoc.SignedBy(nobody(t, bits, usual))
		got, err := l.verify(t)
		if err != nil || got.ValidationFailure() != verifier.Untrusted || !strings.Contains(l.log.String(), "certificate 1: outside the accepted bounds: "+says) {
			t.Errorf("mdoc, %d bits: got %q, %v; log: %s", bits, got.ValidationFailure(), err, l.log.String())
		}
	}
	for _, bits := range []int{130_000, 720_000} { // their signatures make a leaf too long to be read
		l := newLicence(t)
		l.mdoc.SignedBy(nobody(t, bits, usual))
		if _, err := l.verify(t); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), "bytes; 16384 are the most") {
			t.Errorf("mdoc, %d bits: got %v", bits, err)
		}
	}
	s := newScene(t) // a header has 16 KiB: it cannot be larger
	s.id.SignedBy(nobody(t, 32_768, usual))
	got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if err != nil || got.ValidationFailure() != verifier.Untrusted || !strings.Contains(s.log.String(), "an RSA modulus of 32768 bits") {
		t.Errorf("SD-JWT VC: got %q, %v; log: %s", got.ValidationFailure(), err, s.log.String())
	}
	s = newScene(t)
	s.receipt.SignedBy(nobody(t, 32_768, usual))
	got, err = s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if check, _ := got.FaceCheck(); err != nil || check.ValidationFailure != verifier.Untrusted || !strings.Contains(s.log.String(), "an RSA modulus of 32768 bits") {
		t.Errorf("receipt: got %q, %v; log: %s", check.ValidationFailure, err, s.log.String())
	}
	s = newScene(t)
	s.issuer.Status.Signer = nobody(t, 32_768, usual)
	got, err = s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if err != nil || got.ValidationFailure() != verifier.StatusUnavailable || !strings.Contains(s.log.String(), "an RSA modulus of 32768 bits") {
		t.Errorf("status list: got %q, %v; log: %s", got.ValidationFailure(), err, s.log.String())
	}
}

// A leaf with such a key is no genuine answer: nothing here is signed with RSA.
func TestGiantLeaves(t *testing.T) {
	giant := publickeytest.Certificate(t, publickeytest.RSA(32_768, usual))
	l := newLicence(t)
	l.mdoc.SignedBy(verifiertest.Party{Key: verifiertest.NewKey(t), Chain: [][]byte{giant}})
	_, err := l.verify(t)
	s := newScene(t)
	s.id.Header["x5c"] = []string{base64.StdEncoding.EncodeToString(giant)}
	_, err2 := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	for name, err := range map[string]error{"mdoc": err, "SD-JWT VC": err2} {
		if !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), "an RSA modulus of 32768 bits") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// BenchmarkWorstChain is the most that a stranger's chain costs: every key as long as it may be, with the longest
// exponent.
func BenchmarkWorstChain(b *testing.B) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(b, clock.Now)
	rules, err := trust.New([]trust.Rule{issuer.DocumentRule()})
	if err != nil {
		b.Fatal(err)
	}
	chain := nobody(b, 8192, math.MaxInt32).Chain
	for range 2 { // others of the same name: each may have signed the leaf
		chain = append(chain, publickeytest.Certificate(b, publickeytest.RSA(8192, math.MaxInt32)))
	}
	for b.Loop() {
		if err := rules.CheckDocument(chain, verifiertest.MDocType, clock.Now(), clock.Now()); !errors.Is(err, trust.ErrUntrusted) {
			b.Fatal(err)
		}
	}
}
