package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A file that cannot be replaced stays, and nothing is left beside it: what was written holds private keys.
func TestFilesThatCannotBeReplaced(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(taken, []byte("private")); err == nil || !strings.Contains(err.Error(), "write "+taken) {
		t.Errorf("a directory in its place: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
	key, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "signing.pem")
	if err := writeFile(path, []Key{{Private: key}}); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	descriptor := fmt.Sprintf("/dev/fd/%d", open.Fd()) // a file in a directory that takes no others
	if err := CertifyFile(descriptor, "host", time.Now()); err == nil || !strings.Contains(err.Error(), "write "+descriptor) {
		t.Errorf("certified, and not written: %v", err)
	}
	if err := writeFile(path, []Key{{}}); err == nil || !strings.Contains(err.Error(), path+": encode key 1") {
		t.Errorf("a ring that cannot be encoded: %v", err)
	}
	if list, err := ReadFile(path); err != nil || len(list) != 1 {
		t.Errorf("what was there: %d keys, %v", len(list), err)
	}
}

// A key that cannot sign makes no token and no certificate: neither goes out unsigned.
func TestKeysThatCannotSign(t *testing.T) {
	whole, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	broken := &rsa.PrivateKey{PublicKey: whole.PublicKey, D: new(big.Int).Add(whole.D, big.NewInt(2)), Primes: whole.Primes}
	es256, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRing([]Key{{Private: es256}, {Private: broken}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		if token, err := r.MintWith(alg, "JWT", map[string]any{}); err == nil || !strings.Contains(err.Error(), "sign JWT") || token != "" {
			t.Errorf("%s: %q, %v", alg, token, err)
		}
	}
	if list, err := Certify([]Key{{Private: broken}}, "host", time.Now()); err == nil || !strings.Contains(err.Error(), "certify key ") || list != nil {
		t.Errorf("certified: %v, %v", list, err)
	}
	if list, err := Certify([]Key{{}}, "host", time.Now()); err == nil || !strings.Contains(err.Error(), "signing key: is missing") || list != nil {
		t.Errorf("no key: %v, %v", list, err)
	}
}

// A ring is written without dates that it does not have, and announces to the second.
func TestDatesOfRings(t *testing.T) {
	key, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, later, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := EncodeRing([]Key{{Private: key}})
	if err != nil || bytes.Contains(text, []byte("Signs-From")) || bytes.Contains(text, []byte("Published-Until")) {
		t.Errorf("%v", err)
	}
	odd := time.Unix(1_900_000_001, 5)
	list, err := Rotate([]Key{{Private: key}}, Rotation{Algorithm: jose.ES256, New: mustGenerate(t), Now: odd, Announce: time.Hour, Overlap: time.Hour})
	if err != nil || !list[0].SignsFrom.Equal(time.Unix(1_900_003_601, 0)) {
		t.Errorf("signs from %v, %v", list[0].SignsFrom, err)
	}
	// A key of an algorithm that nothing signs yet is published, and no more.
	table, err := Describe([]Key{{Private: key}, {Private: later, SignsFrom: odd.Add(time.Hour)}}, odd)
	if err != nil || strings.Count(table, "signs ") != 1 || strings.Count(table, "published ") != 1 {
		t.Errorf("%s, %v", table, err)
	}
	// The set without a retired key is served from the second of its end, and the one with it until then.
	list = []Key{{Private: key}, {Private: later, PublishedUntil: odd.Add(time.Hour)}}
	now := odd
	r, err := NewRing(list, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for after, count := range map[time.Duration]int{0: 2, time.Hour - 1: 2, time.Hour: 1, 1000 * time.Hour: 1} {
		now = odd.Add(after)
		if got := bytes.Count(r.JWKS(), []byte(`"kid"`)); got != count {
			t.Errorf("%s later: %d keys", after, got)
		}
	}
}

func mustGenerate(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A ring that is rotated stays readable for whoever read it before: root rotates, and the service reads.
func TestAReplacedFileBelongsToWhomItDid(t *testing.T) {
	const nobody = 65534
	path := filepath.Join(t.TempDir(), "signing.pem")
	if err := replaceFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new one: %v, %v", info.Mode(), err)
	}
	for before, after := range map[os.FileMode]os.FileMode{0o600: 0o600, 0o640: 0o640, 0o400: 0o400, 0o444: 0o444, 0o666: 0o644, 0o660: 0o640} {
		if err := os.Chmod(path, before); err != nil {
			t.Fatal(err)
		}
		owner := os.Geteuid()
		if owner == 0 {
			owner = nobody
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		if err := replaceFile(path, []byte("newer")); err != nil {
			t.Fatalf("%v: %v", before, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(stat.Uid) != owner || info.Mode().Perm() != after {
			t.Errorf("%v of user %d: %v of user %d", before, owner, info.Mode(), stat.Uid)
		}
	}
}

// A group that its own user cannot give to the new file keeps nobody from rotating, unless it reads the file.
func TestAGroupThatReadsNothing(t *testing.T) {
	for _, row := range []struct {
		user  int
		owner uint32
		mode  os.FileMode
		want  bool
	}{
		{1000, 1000, 0o600, true}, {1000, 1000, 0o400, true}, {1000, 1000, 0o604, true},
		{1000, 1000, 0o640, false}, {1000, 1000, 0o620, false}, {1000, 1000, 0o610, false}, {1000, 1001, 0o600, false}, {1000, 0, 0o600, false},
	} {
		if got := forOwnerAlone(row.user, row.owner, row.mode); got != row.want {
			t.Errorf("user %d, %v of user %d: %t", row.user, row.mode, row.owner, got)
		}
	}
}
