package plan

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"regain/internal/config"
	"regain/provider/keys"
	"regain/storage"
)

// Permission bits of a file's mode.
const (
	othersWrite = 0o002
	groupWrites = 0o020
	othersRead  = 0o004
)

// modeOf returns the permission bits of a file, 0 if it cannot be looked at or this system has none.
func modeOf(path string) os.FileMode {
	if path == "" || runtime.GOOS == "windows" {
		return 0
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0 // whoever reads it says so
	}
	return info.Mode().Perm()
}

// checkWritable refuses files that others can replace by theirs: a key, or who is trusted. A group may be meant to write
// what is public, and never what is secret.
func checkWritable(list []config.Reference) error {
	var found config.Problems
	for _, r := range list {
		for _, path := range r.Paths() {
			mode := modeOf(path)
			if path == r.Secret.Directory && readOnly(path) {
				continue // a mounted Secret of Kubernetes has mode 1777
			}
			if mode&othersWrite != 0 || r.Private && mode&groupWrites != 0 {
				found.Add(fmt.Errorf("%s: others than its owner can write %s (mode %04o), and put theirs in its place: chmod go-w it", r.Key, path, mode))
			}
		}
	}
	return found.Err()
}

// lintReadable warns of secrets that everybody on the machine can read. It does not stop the start: volumes of containers
// are like that, and nobody else is there.
func lintReadable(c config.Config, add func(string, ...any)) {
	signing, _ := ReadSigning(c.Secrets.SigningKey) // which Read reports where it cannot be read
	for _, k := range signing {
		if token, ok := k.Private.(*keys.TokenKey); ok && modeOf(token.PINFile())&othersRead != 0 {
			add("secrets.signing_key: everybody on this machine can read %s, the PIN of a token (mode %04o): chmod 0600 it", token.PINFile(), modeOf(token.PINFile()))
		}
	}
	for _, r := range config.References(c) {
		for _, path := range r.Paths() {
			// A directory shows names alone.
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue
			}
			if mode := modeOf(path); r.Private && mode&othersRead != 0 {
				add("%s: everybody on this machine can read %s (mode %04o): chmod 0600 it, or 0640 with a group of the service's own", r.Key, path, mode)
			}
		}
	}
}

// Digest returns what tells the secrets of a reference from others.
func Digest(r config.Reference) (sum [sha256.Size]byte, err error) {
	values, err := r.Secret.All(r.Key)
	if err != nil {
		return sum, err
	}
	hash := sha256.New()
	for _, value := range values {
		part := sha256.Sum256([]byte(value.Text))
		hash.Write(part[:])
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// digests returns what tells secrets apart, by their keys. One that cannot be read is left out: whoever needs it says so.
func digests(list []config.Reference) map[string][sha256.Size]byte {
	found := make(map[string][sha256.Size]byte)
	for _, r := range list {
		if sum, err := Digest(r); err == nil {
			found[r.Key] = sum
		}
	}
	return found
}

// checkDistinct refuses one secret in two places: whoever is given it for the one has the other.
func checkDistinct(list []config.Reference) error {
	var found config.Problems
	seen := map[string]config.Reference{}
	for _, r := range list {
		values, _ := r.Secret.All(r.Key) // whoever needs one that cannot be read says so
		for _, value := range values {
			for _, secret := range separate(value.Text) {
				if first, twice := seen[secret]; twice && first.Key != r.Key {
					found.Add(fmt.Errorf("%s: is the same secret as %s (in %s and in %s): make one for each", r.Key, first.Key, r.Secret.Source(), first.Secret.Source()))
				} else {
					seen[secret] = r
				}
			}
		}
	}
	return found.Err()
}

// separate returns the keys of a list of keys, the lines of a list of tokens, and any other secret as it is.
func separate(text string) []string {
	list, err := storage.ParseKeys(text, "key")
	switch {
	case err != nil && strings.HasPrefix(text, "-----BEGIN "):
		return []string{text}
	case err != nil:
		return strings.Fields(text)
	}
	secrets := make([]string, 0, len(list))
	for _, key := range list {
		secrets = append(secrets, string(key))
	}
	return secrets
}

// CheckFiles holds new files, by their cleaned paths, to what a start demands of them beyond their content.
func CheckFiles(c config.Config, files []string) error {
	all := config.References(c)
	of := slices.DeleteFunc(slices.Clone(all), func(r config.Reference) bool { return !slices.Contains(files, filepath.Clean(r.Path)) })
	if err := checkWritable(of); err != nil {
		return err
	}
	if !slices.ContainsFunc(of, func(r config.Reference) bool { return r.Private }) {
		return nil
	}
	return checkDistinct(all)
}
