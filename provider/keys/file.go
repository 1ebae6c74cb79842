package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// RotateFile rotates the ring in a file, which is created if it does not exist. The file is replaced atomically: a
// concurrent reader sees the old ring or the new one.
func RotateFile(path string, r Rotation) error {
	list, err := ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	name := certifiedAs(list)
	if list, err = Rotate(list, r); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if name != "" { // verifiers that require x5c require it for the new key too
		if list, err = Certify(list, name, r.Now); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return writeFile(path, list)
}

// CertifyFile applies Certify to the ring in a file.
func CertifyFile(path, name string, now time.Time) error {
	list, err := ReadFile(path)
	if err != nil {
		return err
	}
	if list, err = Certify(list, name, now); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeFile(path, list)
}

func writeFile(path string, list []Key) error {
	text, err := EncodeRing(list)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return replaceFile(path, text)
}

// ReadFile reads a ring file.
func ReadFile(path string) ([]Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	list, err := ParseRing(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".signing-*") // readable by its owner only
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, likeBefore(file, path), file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
	}
	return nil
}

// likeBefore gives a file the owner, group and mode of the one whose place it takes, where there is one: the service could not
// open what root made for itself. Others never get to write.
func likeBefore(file *os.File, path string) error {
	before, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat, ok := before.Sys().(*syscall.Stat_t); ok {
		if err := file.Chown(int(stat.Uid), int(stat.Gid)); err != nil && !forOwnerAlone(os.Geteuid(), stat.Uid, before.Mode()) {
			return fmt.Errorf("it belongs to user %d and group %d: run this as that user and in that group, or as root: %w", stat.Uid, stat.Gid, err)
		}
	}
	const othersWrite = 0o022
	return file.Chmod(before.Mode().Perm() &^ othersWrite)
}

// forOwnerAlone reports whether a file is the user's own, and its group may do nothing with it, so that it matters to nobody
// which one that is: `install -o` leaves root's.
func forOwnerAlone(user int, owner uint32, mode fs.FileMode) bool {
	const groups = 0o070
	return user == int(owner) && mode&groups == 0
}

// Describe returns a table of a ring's keys with the current state of each. It contains nothing private.
func Describe(list []Key, now time.Time) (string, error) {
	r, err := NewRing(list, func() time.Time { return now })
	if err != nil {
		return "", err
	}
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY ID\tALGORITHMS\tX5C\tNOW\tSIGNS FROM\tPUBLISHED UNTIL")
	for _, k := range r.state.Load().keys {
		state := "published"
		for _, alg := range k.algorithms {
			if signing := r.signing(alg); signing != nil && signing.public.KeyID == k.public.KeyID {
				state = "signs"
			}
		}
		if !k.PublishedUntil.IsZero() && !now.Before(k.PublishedUntil) {
			state = "retired"
		}
		certificate := "-"
		if len(k.Certificates) > 0 {
			certificate = k.Certificates[0].Subject.CommonName + " until " + k.Certificates[0].NotAfter.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%s\t%v\t%s\t%s\t%s\t%s\n", k.public.KeyID, k.algorithms, certificate, state, when(k.SignsFrom, "the beginning"), when(k.PublishedUntil, "taken out"))
	}
	if err := table.Flush(); err != nil {
		return "", fmt.Errorf("describe keys: %w", err)
	}
	return out.String(), nil
}

func when(t time.Time, zero string) string {
	if t.IsZero() {
		return zero
	}
	return t.UTC().Format(time.RFC3339)
}
