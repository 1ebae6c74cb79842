//go:build npm

package dcql_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"testing"

	"regain/presentation/dcql"
)

type members = map[string]any

// pair is a generated query with what a wallet shows for each of its ids.
type pair struct {
	Query        members              `json:"query"`
	Presentation map[string][]members `json:"presentation"`
}

// TestAgainstNPM compares the verdict on thousands of generated answers with that of the OpenWallet Foundation's dcql.
// scripts/browser runs it, with `-tags npm`: it needs Node.js and what is installed there.
func TestAgainstNPM(t *testing.T) {
	const many = 5000
	r := rand.New(rand.NewPCG(1, 2))
	var input bytes.Buffer
	pairs := make([]pair, many)
	for i := range pairs {
		pairs[i] = generate(r)
		line, err := json.Marshal(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		input.Write(append(line, '\n'))
	}
	command := exec.CommandContext(t.Context(), "node", "../../conformance/browsertest/dcql.mjs")
	command.Stdin = &input
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[bool]int{}
	lines := bufio.NewScanner(bytes.NewReader(output))
	for i := 0; lines.Scan(); i++ {
		ours := satisfies(t, pairs[i])
		verdicts[ours]++
		if lines.Text() != strconv.FormatBool(ours) {
			text, _ := json.Marshal(pairs[i])
			t.Fatalf("npm says %s, and we say %t, of\n%s", lines.Text(), ours, text)
		}
	}
	if verdicts[true] < many/10 || verdicts[false] < many/10 {
		t.Errorf("too one-sided to say much: %v", verdicts)
	}
	t.Logf("agreed on %v", verdicts)
}

// satisfies is the verdict of this package.
func satisfies(t *testing.T, p pair) bool {
	t.Helper()
	raw, err := json.Marshal(p.Query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := dcql.Parse(raw)
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	var present []string
	for id, list := range p.Presentation {
		c, _ := q.Credential(id)
		held := list[0]
		types := func(name string) []string {
			switch v := held[name].(type) {
			case string:
				return []string{v}
			case []string:
				return v
			}
			return nil
		}
		claims, _ := held["claims"].(members)
		if c.Format == dcql.FormatMdoc {
			claims, _ = held["namespaces"].(members)
		}
		if held["credential_format"] == c.Format && c.Meta.Accepts(append(append(types("vct"), types("doctype")...), types("type")...)...) && c.Missing(claims) == nil {
			present = append(present, id)
		}
	}
	// What does not match its query spoils the answer there; here it is for the caller to say.
	return len(present) == len(p.Presentation) && q.Missing(present) == nil
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func often(r *rand.Rand) bool { return r.IntN(4) > 0 }

func generate(r *rand.Rand) pair {
	p := pair{Query: members{}, Presentation: map[string][]members{}}
	var credentials []members
	ids := []string{"a", "b", "c"}[:1+r.IntN(3)]
	for _, id := range ids {
		c := credential(r, id)
		credentials = append(credentials, c)
		if often(r) {
			p.Presentation[id] = []members{held(r, c["format"].(string))}
		}
	}
	p.Query["credentials"] = credentials
	if r.IntN(2) == 0 {
		var sets []members
		for range 1 + r.IntN(2) {
			set := members{"options": []any{[]string{pick(r, ids...)}, ids}}
			if r.IntN(3) == 0 {
				set["required"] = false
			}
			sets = append(sets, set)
		}
		p.Query["credential_sets"] = sets
	}
	return p
}

func credential(r *rand.Rand, id string) members {
	c := members{"id": id, "format": pick(r, dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC)}
	paths := [][]any{{"a"}, {"b"}, {"c"}, {"d", "e"}, {"d", "f", nil}, {"d", "f", 0}, {"g", 1}, {"g", nil}, {"missing"}, {"d", "missing"}}
	switch c["format"] {
	case dcql.FormatSDJWT:
		c["meta"] = members{"vct_values": pick(r, []string{"urn:one"}, []string{"urn:two", "urn:one"})}
	case dcql.FormatMdoc:
		c["meta"] = members{"doctype_value": "org.one"}
		paths = [][]any{{"ns", "a"}, {"ns", "b"}, {"ns", "c"}, {"ns", "missing"}, {"other", "a"}}
	default:
		c["meta"] = members{"type_values": pick(r, [][]string{{"urn:one"}}, [][]string{{"urn:one", "urn:two"}, {"urn:three"}})}
	}
	r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	var claims []members
	var names []string
	for i, path := range paths[:r.IntN(4)] {
		claim := members{"id": "c" + strconv.Itoa(i), "path": path}
		_, indexed := path[len(path)-1].(int)
		if r.IntN(3) == 0 && !indexed { // there npm compares with every element of the array, and §7.1 selects one
			claim["values"] = pick(r, []any{"x"}, []any{1, 2}, []any{true}, []any{"y", 1, true})
		}
		names = append(names, claim["id"].(string))
		claims = append(claims, claim)
	}
	if len(claims) > 0 {
		c["claims"] = claims
		if r.IntN(2) == 0 {
			c["claim_sets"] = pick(r, [][]string{names}, [][]string{names, names[:1]})
		}
	}
	return c
}

// held is a credential of a format, usually, from which parts are missing.
func held(r *rand.Rand, format string) members {
	if r.IntN(8) == 0 {
		format = pick(r, dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC)
	}
	claims := members{"a": pick(r, "x", "y"), "b": pick[any](r, 1, 2, "1"), "c": pick(r, true, false), "d": members{"e": "y", "f": []any{1, "x"}}, "g": []any{"x", 2}}
	for _, name := range []string{"a", "b", "c", "d", "g"} {
		if r.IntN(6) == 0 {
			delete(claims, name)
		}
	}
	h := members{"credential_format": format, "cryptographic_holder_binding": true}
	switch format {
	case dcql.FormatSDJWT:
		h["vct"], h["claims"] = pick(r, "urn:one", "urn:one", "urn:two", "urn:three"), claims
	case dcql.FormatMdoc:
		delete(claims, "d")
		delete(claims, "g")
		h["doctype"], h["namespaces"] = pick(r, "org.one", "org.one", "org.one", "org.two"), members{"ns": claims}
	default:
		h["type"], h["claims"] = pick(r, []string{"urn:one"}, []string{"urn:one", "urn:two"}, []string{"urn:two"}), claims
	}
	return h
}
