//go:build npm

package dcql_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"testing"

	"regain/presentation/dcql"
)

// verdict is what conformance/browsertest/dcql.mjs says of a pair, and what this package is made to say likewise.
type verdict struct {
	Error       string                   `json:"error,omitempty"` // the answer is refused whole
	Satisfied   bool                     `json:"satisfied"`       // and every presentation matches
	Credentials map[string][]shownResult `json:"credentials"`
	Options     [][]int                  `json:"options"` // of each credential set, those that are complete
}

// shownResult is about one presentation.
type shownResult struct {
	Meta      bool  `json:"meta"` // format, types and holder binding
	Claims    bool  `json:"claims"`
	Authority bool  `json:"authority"`
	Failed    []int `json:"failed"` // claims, where no claim set is complete
	Set       *int  `json:"set"`
}

// TestAgainstNPM compares, of thousands of generated answers, what is said of every presentation, claim, claim set and
// credential set with what the OpenWallet Foundation's dcql says. scripts/browser runs it, with `-tags npm`: it needs
// Node.js and what is installed there.
func TestAgainstNPM(t *testing.T) {
	const many = 5000
	r := rand.New(rand.NewPCG(1, 2))
	pairs := make([]pair, many)
	for i := range pairs {
		pairs[i] = generate(r)
	}
	seen := map[string]int{}
	for i, theirs := range askNPM(t, pairs) {
		ours, noted := evaluate(t, pairs[i])
		if theirs.Error != "" && ours.Error != "" {
			seen["refused"]++
			continue
		}
		if noted { // there an authority that was not named is a mismatch, see TestAgainstNPMWhereItDiffers
			theirs.Satisfied, theirs.Options, ours.Satisfied, ours.Options = false, nil, false, nil
			seen["authority noted"]++
		}
		if !reflect.DeepEqual(ours, theirs) {
			text, _ := json.Marshal(pairs[i])
			t.Fatalf("npm says\n%+v, and we say\n%+v, of\n%s", theirs, ours, text)
		}
		if ours.Satisfied {
			seen["satisfied"]++
		}
		for _, list := range ours.Credentials {
			for _, one := range list {
				if one.Meta && one.Claims {
					seen["presentation matches"]++
				} else {
					seen["presentation does not"]++
				}
			}
		}
	}
	if seen["satisfied"] < many/10 || seen["satisfied"] > many*9/10 || seen["refused"] < many/100 || seen["authority noted"] < many/100 {
		t.Errorf("too one-sided to say much: %v", seen)
	}
	t.Logf("agreed on %d: %v", many, seen)
}

// TestAgainstNPMWhereItDiffers pins where that package says otherwise, and why we do not follow it.
func TestAgainstNPMWhereItDiffers(t *testing.T) {
	query := func(more members) members {
		c := members{"id": "a", "format": dcql.FormatSDJWT, "meta": members{"vct_values": []string{"urn:one"}}}
		for name, value := range more {
			c[name] = value
		}
		return members{"credentials": []members{c}}
	}
	held := func(claims members) members {
		return members{"credential_format": dcql.FormatSDJWT, "vct": "urn:one", "cryptographic_holder_binding": true, "claims": claims}
	}
	for _, row := range []struct {
		why        string
		query      members
		held       []members
		theirs, we bool
	}{
		{"a key with the value null exists, and §7.1.1 selects it",
			query(members{"claims": []members{{"path": []any{"a"}}}}), []members{held(members{"a": nil})}, false, true},
		{"elements move forward when others are withheld, never back",
			query(members{"claims": []members{{"path": []any{"a", 0}, "values": []any{"x"}}}}), []members{held(members{"a": []any{"y", "x"}})}, true, false},
		{"one selected element of the wrong kind aborts §7.1.1",
			query(members{"claims": []members{{"path": []any{"a", nil, "b"}}}}), []members{held(members{"a": []any{members{"b": 1}, "x"}})}, true, false},
		{"trusted_authorities is a hint (§6.1)",
			query(members{"trusted_authorities": []members{{"type": "aki", "values": []string{"AQID"}}}}), []members{held(members{})}, false, true},
		{"a presentation that does not match is discarded, and not the answer with it (§8.6)",
			query(members{"multiple": true, "claims": []members{{"path": []any{"a"}}}}), []members{held(members{}), held(members{"a": 1})}, false, true},
	} {
		p := pair{Query: row.query, Presentation: map[string][]members{"a": row.held}}
		q, a := p.read(t)
		theirs := askNPM(t, []pair{p})[0]
		if e, err := q.Evaluate(a); e.Satisfied != row.we || theirs.Satisfied != row.theirs {
			t.Errorf("%s: npm says %+v, and we say %v", row.why, theirs, err)
		}
	}
}

func askNPM(t *testing.T, pairs []pair) []verdict {
	t.Helper()
	var input bytes.Buffer
	for _, p := range pairs {
		line, err := json.Marshal(p)
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
	verdicts := make([]verdict, 0, len(pairs))
	for line := range bytes.Lines(output) {
		var v verdict
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(pairs) {
		t.Fatalf("%d verdicts on %d pairs", len(verdicts), len(pairs))
	}
	return verdicts
}

// evaluate is the verdict of this package, and whether an authority is noted.
func evaluate(t *testing.T, p pair) (v verdict, noted bool) {
	t.Helper()
	q, a := p.read(t)
	e, err := q.Evaluate(a)
	if e.Unasked > 0 || spoiled(e) {
		return verdict{Error: err.Error()}, false
	}
	v.Satisfied, v.Credentials = e.Satisfied, map[string][]shownResult{}
	for i, c := range e.Credentials {
		for _, p := range c.Presentations {
			one := shownResult{Meta: true, Claims: true, Authority: len(p.Notes) == 0, Set: p.ClaimSet}
			for _, f := range p.Mismatches {
				switch f.Rule {
				case dcql.RuleFormat, dcql.RuleMeta, dcql.RuleHolderBinding:
					one.Meta = false
				case dcql.RuleClaims, dcql.RuleValues:
					one.Failed = append(one.Failed, slices.IndexFunc(q.Credentials[i].Claims, func(c dcql.Claim) bool { return c.ID == f.Claim }))
					fallthrough
				default:
					one.Claims = false
				}
			}
			noted = noted || !one.Authority
			v.Satisfied = v.Satisfied && len(p.Mismatches) == 0
			v.Credentials[c.ID] = append(v.Credentials[c.ID], one)
		}
	}
	for _, s := range e.Sets {
		options := []int{}
		for i, o := range s.Options {
			if len(o.Missing) == 0 {
				options = append(options, i)
			}
		}
		v.Options = append(v.Options, options)
	}
	return v, noted
}
