package node

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// namedFile is a file that a key of the configuration names.
type namedFile struct {
	key, path string
	private   bool // holds a secret or a private key
}

// files lists every file that the node reads.
func (c Config) files() []namedFile {
	found := []namedFile{
		{"tls.certificate_file", c.TLS.CertificateFile, false}, {"tls.key_file", c.TLS.KeyFile, true},
		{"mutual_tls.roots_file", c.MutualTLS.RootsFile, false}, {"request_signing.certificate_file", c.RequestSigning.CertificateFile, false},
		{"fetch.ca_file", c.Fetch.CAFile, false}, {"directory.file", c.Directory.File, false},
	}
	for _, s := range c.secrets() {
		found = append(found, namedFile{s.key + ".file", s.File, true})
	}
	for i, t := range c.Trust {
		found = append(found, namedFile{fmt.Sprintf("trust[%d].anchors_file", i), t.AnchorsFile, false}, namedFile{fmt.Sprintf("trust[%d].signers_file", i), t.SignersFile, false})
	}
	for i, w := range c.Wallets {
		found = append(found, namedFile{fmt.Sprintf("wallets[%d].attestation_file", i), w.AttestationFile, false}, namedFile{fmt.Sprintf("wallets[%d].verifier_info_file", i), w.VerifierInfoFile, false})
	}
	for i, client := range c.Clients {
		found = append(found, namedFile{fmt.Sprintf("clients[%d] (%s).jwks_file", i, client.ID), client.JWKSFile, false})
	}
	return found
}

// secrets lists every secret with its key.
func (c Config) secrets() []keyedSecret {
	found := append(c.Secrets.atStart(), keyedSecret{c.Secrets.SigningKey, "secrets.signing_key"}, keyedSecret{c.RequestSigning.Key, "request_signing.key"},
		keyedSecret{c.Registration.Tokens, "registration.initial_access_tokens"}, keyedSecret{c.Audit.Key, "audit.key"})
	for i, client := range c.Clients {
		found = append(found, keyedSecret{client.Secret, fmt.Sprintf("clients[%d] (%s).secret", i, client.ID)})
	}
	return found
}

// Permission bits of a file's mode.
const (
	othersWrite = 0o002
	groupWrites = 0o020
	othersRead  = 0o004
)

// mode returns the permission bits of a file, 0 if it cannot be looked at or this system has none.
func (f namedFile) mode() os.FileMode {
	if f.path == "" || runtime.GOOS == "windows" {
		return 0
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return 0 // whoever reads it says so
	}
	return info.Mode().Perm()
}

// checkWritable refuses files that others can replace by theirs: a key, or who is trusted. A group may be meant to write
// what is public, and never what is secret.
func checkWritable(files []namedFile) error {
	var found problems
	for _, f := range files {
		mode := f.mode()
		if mode&othersWrite != 0 || f.private && mode&groupWrites != 0 {
			found.add(fmt.Errorf("%s: others than its owner can write %s (mode %04o), and put theirs in its place: chmod go-w it", f.key, f.path, mode))
		}
	}
	return found.err()
}

// lintReadable warns of secrets that everybody on the machine can read. It does not stop the start: volumes of containers
// are like that, and nobody else is there.
func (c Config) lintReadable(add func(string, ...any)) {
	for _, f := range c.files() {
		if f.private && f.mode()&othersRead != 0 {
			add("%s: everybody on this machine can read %s (mode %04o): chmod 0600 it, or 0640 with a group of the service's own", f.key, f.path, f.mode())
		}
	}
}

// checkDistinct refuses one secret in two places: whoever is given it for the one has the other.
func checkDistinct(list []keyedSecret) error {
	var found problems
	seen := map[[sha256.Size]byte]keyedSecret{}
	for _, s := range list {
		text, err := s.Read(s.key)
		if s.IsZero() || err != nil {
			continue // whoever needs it says so
		}
		digest := sha256.Sum256([]byte(strings.TrimSpace(text)))
		if first, twice := seen[digest]; twice {
			found.add(fmt.Errorf("%s: is the same secret as %s (in %s and in %s): make one for each", s.key, first.key, s.Source(), first.Source()))
			continue
		}
		seen[digest] = s
	}
	return found.err()
}
