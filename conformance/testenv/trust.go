package testenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// joinTrust adds the trust entries that somebody brings to the test environment's own. Regain has one entry for a type, so
// that an issuer of a type that is trusted already joins the entry of that type: whoever either of them trusts is trusted
// then. The other types of that entry stay with those whom they were with.
func joinTrust(directory string, own, brought []any) ([]any, error) {
	joined := slices.Clone(own)
	for _, item := range brought {
		entry, ok := item.(object)
		if !ok {
			joined = append(joined, item) // the node says what is wrong with it
			continue
		}
		rest := entry["types"]
		for i := range joined {
			base, ok := joined[i].(object)
			if !ok {
				continue
			}
			shared, others := split(base["types"], rest)
			if len(shared) == 0 {
				continue
			}
			_, rest = split(rest, shared)
			both, err := joinEntries(directory, base, entry)
			if err != nil {
				return nil, err
			}
			both["types"], joined[i] = shared, both
			if left := copyOf(base); len(others) > 0 {
				left["types"] = others
				joined = append(joined, left)
			}
		}
		if left := texts(rest); len(left) > 0 {
			entry = copyOf(entry)
			entry["types"] = left
			joined = append(joined, entry)
		}
	}
	return joined, nil
}

// joinEntries trusts those of both. Without a list of issuers an entry trusts any under its anchors, and so does the sum.
func joinEntries(directory string, a, b object) (object, error) {
	both := copyOf(a)
	for _, key := range []string{"anchors_file", "signers_file"} {
		path, err := joinFiles(directory, a[key], b[key])
		if err != nil {
			return nil, fmt.Errorf("trust: %s: %w", key, err)
		}
		delete(both, key)
		if path != "" {
			both[key] = path
		}
	}
	if dids := append(texts(a["dids"]), texts(b["dids"])...); len(dids) > 0 {
		both["dids"] = dids
	}
	delete(both, "issuers")
	if of, more := texts(a["issuers"]), texts(b["issuers"]); len(of) > 0 && len(more) > 0 {
		both["issuers"] = append(of, more...)
	}
	for _, key := range []string{"status_optional", "linked_domain"} {
		if value, said := b[key]; said {
			both[key] = value
		}
	}
	return both, nil
}

// joinFiles returns the file that holds what two files hold, or the one that there is.
func joinFiles(directory string, a, b any) (string, error) {
	first, _ := a.(string)
	second, _ := b.(string)
	if first == "" || second == "" {
		return first + second, nil
	}
	var all [][]byte
	for _, path := range []string{first, second} {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		all = append(all, data)
	}
	file, err := os.CreateTemp(directory, "joined-*"+filepath.Ext(first))
	if err != nil {
		return "", err
	}
	if _, err := file.Write(bytes.Join(all, []byte("\n"))); err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}

// split returns which texts of a list are in another, and which are not.
func split(list, other any) (shared, rest []any) {
	for _, text := range texts(list) {
		if slices.Contains(texts(other), text) {
			shared = append(shared, text)
		} else {
			rest = append(rest, text)
		}
	}
	return shared, rest
}

func texts(list any) []any {
	found, _ := list.([]any)
	return slices.Clone(found)
}

func copyOf(o object) object {
	made := make(object, len(o))
	for key, value := range o {
		made[key] = value
	}
	return made
}
