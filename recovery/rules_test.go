package recovery_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// failedRules are those of the decision that were not met.
func failedRules(d recovery.Decision) (failed []string) {
	for _, r := range d.Results {
		if !r.Pass {
			failed = append(failed, r.Rule)
		} else if r.Detail != "" {
			failed = append(failed, r.Rule+" has a detail")
		}
	}
	return failed
}

// Each row breaks one thing: the decision names the rule that is not met, that one alone, and what was measured.
func TestTheRuleThatIsNotMetIsNamed(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*recovery.DecisionInput)
		failed []string
		score  float64
	}{
		"nothing":        {func(*recovery.DecisionInput) {}, nil, 86.3},
		"the credential": {func(q *recovery.DecisionInput) { q.Evidence.ValidationFailure = recovery.ReasonCredentialRevoked }, []string{"credential"}, 86.3},
		"the account":    {func(q *recovery.DecisionInput) { q.Ineligible = recovery.ReasonAccountExcluded }, []string{"account:eligible"}, 86.3},
		"a value":        {func(q *recovery.DecisionInput) { q.Evidence.Claims["family_name"] = "Stone" }, []string{"match:family_name:exact"}, 86.3},
		"the receipt": {func(q *recovery.DecisionInput) {
			q.Evidence.FaceCheck.ValidationFailure = recovery.ReasonCredentialUntrusted
		}, []string{"face_check:trusted"}, 86.3},
		"not bound":       {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Bound = false }, []string{"face_check:bound"}, 0},
		"none":            {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck = recovery.FaceCheck{} }, []string{"face_check:present"}, 0},
		"the score":       {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 12 }, []string{"face_check:score"}, 12},
		"no number":       {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = math.NaN() }, []string{"face_check:score"}, 0},
		"less than zero":  {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = -1 }, []string{"face_check:score"}, 0},
		"more than there": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 150 }, []string{"face_check:score"}, 0},
		"all there is":    {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 100 }, nil, 100},
	} {
		q := goodQuestion()
		q.Evidence.Claims = maps.Clone(q.Evidence.Claims)
		row.change(&q)
		d := recovery.Decide(q)
		if got := failedRules(d); !slices.Equal(got, row.failed) || d.FaceCheck.Score != row.score || (d.FaceCheck.Source != "") != q.Evidence.FaceCheck.Bound {
			t.Errorf("%s: %q failed, want %q; face check %+v", name, got, row.failed, d.FaceCheck)
		}
	}
	q := goodQuestion()
	q.Evidence.FaceCheck.ValidationFailure, q.Evidence.FaceCheck.At, q.Evidence.FaceCheck.Bound = recovery.ReasonCredentialUntrusted, noon.Add(-time.Hour), false
	if d := recovery.Decide(q); d.Reason != recovery.ReasonCredentialUntrusted || len(failedRules(d)) != 3 {
		t.Errorf("of three the first: %s of %q", d.Reason, failedRules(d))
	}
}

// A Face Check is of this recovery, to the moment: since it began, and no older than the profile says, give or take a
// minute between two clocks.
func TestFaceChecksAreFreshToTheMoment(t *testing.T) {
	const tolerance = time.Minute
	began, now := noon, noon.Add(30*time.Minute)
	for name, row := range map[string]struct {
		at     time.Time
		maxAge time.Duration
		ok     bool
	}{
		"at the beginning":                  {began.Add(-tolerance), 0, true},
		"before it":                         {began.Add(-tolerance - 1), 0, false},
		"now":                               {now.Add(tolerance), 0, true},
		"in the future":                     {now.Add(tolerance + 1), 0, false},
		"as old as it may be":               {now.Add(-5*time.Minute - tolerance), 5 * time.Minute, true},
		"older":                             {now.Add(-5*time.Minute - tolerance - 1), 5 * time.Minute, false},
		"as old, where no age is bound":     {now.Add(-5*time.Minute - tolerance - 1), 0, true},
		"fresh enough, of another recovery": {began.Add(-tolerance - 1), 2 * time.Hour, false},
	} {
		q := goodQuestion()
		q.StartedAt, q.Now, q.Evidence.FaceCheck.At, q.Profile.FaceCheck.MaxAge = began, now, row.at, row.maxAge
		if d := recovery.Decide(q); (d.Outcome == recovery.OutcomeApproved) != row.ok || !row.ok && d.Reason != recovery.ReasonFaceCheckStale {
			t.Errorf("%s: %s, %s", name, d.Outcome, d.Reason)
		}
	}
}

// The values that stand in for a missing one match nobody, and a value is matched in the claims that the profile binds at
// its level.
func TestWhatIsNotMatched(t *testing.T) {
	exact := []recovery.Binding{{Attribute: "family_name", Claim: "family_name", Level: recovery.MatchExact}}
	mixed := []recovery.Binding{{Attribute: "given_name", Claim: "given_name", Level: recovery.MatchRelaxed}, exact[0]}
	for name, row := range map[string]struct {
		bindings   []recovery.Binding
		attributes map[recovery.AttributeName]string
		claims     map[recovery.ClaimName]string
		detail     string
	}{
		"the value of the decoy, for none":   {exact, nil, map[recovery.ClaimName]string{"family_name": "Lindqvist"}, "the directory has no usable value"},
		"the same, for one that is unusable": {exact, map[recovery.AttributeName]string{"family_name": "\u200b"}, map[recovery.ClaimName]string{"family_name": "Lindqvist"}, "the directory has no usable value"},
		"a claim that is unusable":           {exact, map[recovery.AttributeName]string{"family_name": "Stone"}, map[recovery.ClaimName]string{"family_name": "Stone\u200b"}, "the credential has no usable value"},
		"another value":                      {exact, map[recovery.AttributeName]string{"family_name": "Stone"}, map[recovery.ClaimName]string{"family_name": "Steen"}, "the values differ"},
		"a relaxed value in an exact claim": {mixed, map[recovery.AttributeName]string{"given_name": "Stone", "family_name": "Stone"},
			map[recovery.ClaimName]string{"given_name": "Ada", "family_name": "Stone"}, "no claim contains the value"},
		"a relaxed value without a claim": {mixed, map[recovery.AttributeName]string{"given_name": "Stone", "family_name": "Stone"},
			map[recovery.ClaimName]string{"family_name": "Stone"}, "the credential has no usable value"},
	} {
		q := goodQuestion()
		q.Profile.Credentials[0].Bindings, q.Account.Attributes, q.Evidence.Claims = row.bindings, row.attributes, row.claims
		d := recovery.Decide(q)
		i := slices.IndexFunc(d.Results, func(r recovery.RuleResult) bool { return !r.Pass })
		if d.Reason != recovery.ReasonAccountMismatch || i < 0 || d.Results[i].Detail != row.detail {
			t.Errorf("%s: %s, %+v", name, d.Reason, d.Results)
		}
	}
}

// Which values are the same, and which are compared with nothing, not even with themselves.
func TestEquivalent(t *testing.T) {
	long := strings.Repeat("x", 512)
	for name, row := range map[string]struct {
		a, b string
		same bool
	}{
		"the same":                {"Ada", "ada", true},
		"another":                 {"Ada", "Bob", false},
		"nothing":                 {"", "", false},
		"as long as may be":       {long, long, true},
		"longer":                  {long + "x", long + "x", false},
		"a tab":                   {"Mary\tAnn", "Mary Ann", true},
		"a line end":              {"Mary\nAnn", "Mary Ann", true},
		"a control character":     {"Mary\x01Ann", "Mary\x01Ann", false},
		"for private use":         {"A\uE000", "A\uE000", false},
		"a replacement character": {"A\uFFFD", "A\uFFFD", false},
		"broken UTF-8":            {"A\xff", "A\xff", false},
		"an invisible one":        {"A\u200b", "A", false},
		"only on the right":       {"A", "A\u200b", false},
		"a filler":                {"A\u3164", "A\u3164", false},
		"hyphens":                 {"Anna-Maria", "Anna\u2013Maria", true},
		"a typewriter's":          {"O`Brien", "O'Brien", true},
		"an acute accent":         {"O\u2018Brien", "O\u2019Brien", true},
		"a modifier letter":       {"O\u02BCBrien", "O'Brien", true},
	} {
		if got := recovery.Equivalent(row.a, row.b); got != row.same {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Each row is a profile as it may be, at the edge, or one that is beyond it by one thing.
func TestProfilesAtTheEdge(t *testing.T) {
	crossDevice := func(p *recovery.Profile, lifetime time.Duration) {
		p.Channels = append(p.Channels, recovery.Channel{Wallet: "any", Flow: recovery.FlowCrossDevice})
		p.CrossDevice.QRLifetime = lifetime
	}
	for name, row := range map[string]struct {
		change func(ps recovery.Profiles)
		says   string
	}{
		"the least threshold":         {func(ps recovery.Profiles) { ps[0].FaceCheck.Threshold = 50 }, ""},
		"the greatest threshold":      {func(ps recovery.Profiles) { ps[0].FaceCheck.Threshold = 100 }, ""},
		"less than that":              {func(ps recovery.Profiles) { ps[0].FaceCheck.Threshold = 49 }, "face_check.threshold 49: use 50 to 100, 70 unless you know why"},
		"a short pass":                {func(ps recovery.Profiles) { ps[0].Pass.Length = 7 }, "pass.length 7: use 8 to 48"},
		"the shortest life of a code": {func(ps recovery.Profiles) { crossDevice(&ps[0], 20*time.Second) }, ""},
		"the longest":                 {func(ps recovery.Profiles) { crossDevice(&ps[0], 2*time.Minute) }, ""},
		"a shorter one":               {func(ps recovery.Profiles) { crossDevice(&ps[0], 20*time.Second-1) }, "cross_device.qr_lifetime 19.999999999s: use 20s to 2m0s"},
		"a longer one":                {func(ps recovery.Profiles) { crossDevice(&ps[0], 2*time.Minute+1) }, "cross_device.qr_lifetime 2m0.000000001s: use 20s to 2m0s"},
		"none, and no code":           {func(ps recovery.Profiles) { ps[0].CrossDevice.QRLifetime = 0 }, ""},
		"no credentials":              {func(ps recovery.Profiles) { ps[0].Credentials = nil }, "credentials is empty: say which Verified IDs count"},
		"no wallets":                  {func(ps recovery.Profiles) { ps[0].Channels = nil }, "wallets is empty: name a wallet profile"},
		"a life that ends before":     {func(ps recovery.Profiles) { ps[0].Lifetime = -1 }, "lifetime -1ns: at most 1h0m0s"},
		"the longest life":            {func(ps recovery.Profiles) { ps[0].Lifetime = time.Hour }, ""},
		"a longer life":               {func(ps recovery.Profiles) { ps[0].Lifetime = time.Hour + 1 }, "at most 1h0m0s"},
		"a trial without Face Check":  {func(ps recovery.Profiles) { ps[1].FaceCheck.NotAsked = true }, ""},
		"one device without a way back, in one network": {func(ps recovery.Profiles) {
			crossDevice(&ps[0], time.Minute)
			ps[0].Channels[0].NoRedirectBack, ps[0].CrossDevice.SameNetwork = true, true
		}, ""},
		"a priority of one that is off":          {func(ps recovery.Profiles) { ps[0].Enabled, ps[1].Priority = false, 30 }, ""},
		"one that is off, of another's priority": {func(ps recovery.Profiles) { ps[2].Enabled, ps[2].Priority = false, 30 }, ""},
		"a document": {func(ps recovery.Profiles) {
			ps[0].Credentials[0].Document = recovery.Document{Type: "passport", CheckMethod: "vpiruv"}
		}, ""},
		"a document without a type": {func(ps recovery.Profiles) { ps[0].Credentials[0].Document = recovery.Document{CheckMethod: "vpiruv"} }, "document: type and check_method are required"},
		"without its check":         {func(ps recovery.Profiles) { ps[0].Credentials[0].Document = recovery.Document{Type: "passport"} }, "document: type and check_method are required"},
	} {
		ps := profiles()
		row.change(ps)
		mustSay(t, name, ps.Validate(), row.says)
	}
}

// What clients may be told of a profile, and of all.
func TestFacts(t *testing.T) {
	passport, card := recovery.Document{Type: "passport", CheckMethod: "vpiruv"}, recovery.Document{Type: "idcard", CheckMethod: "vpiruv"}
	ps := profiles()
	second := ps[0].Credentials[0]
	ps[0].Credentials = []recovery.CredentialRule{ps[0].Credentials[0], second}
	for name, row := range map[string]struct {
		first, second, want recovery.Document
	}{
		"one of two is unknown": {passport, recovery.Document{}, recovery.Document{}},
		"both are one":          {passport, passport, passport},
		"they differ":           {passport, card, recovery.Document{}},
	} {
		ps[0].Credentials[0].Document, ps[0].Credentials[1].Document = row.first, row.second
		attributes, document := ps.Verified("everyone")
		if document != row.want || !slices.Equal(attributes, []recovery.AttributeName{"family_name", "given_name"}) {
			t.Errorf("%s: %+v, %q", name, document, attributes)
		}
	}
	ps[0].Credentials[0].Document, ps[0].Credentials[1].Document = passport, card
	ps[1].Credentials[0].Document = passport
	ps[1].Credentials[0].Bindings = []recovery.Binding{{Attribute: "birthdate", Claim: "birthdate", Level: recovery.MatchExact}}
	if got := ps.Documents(); !slices.Equal(got, []recovery.Document{passport, card}) {
		t.Errorf("documents %+v", got)
	}
	if got := ps.Attributes(); !slices.Equal(got, []recovery.AttributeName{"birthdate", "family_name", "given_name"}) {
		t.Errorf("attributes %q", got)
	}
	if attributes, document := ps.Verified("removed"); attributes != nil || document != (recovery.Document{}) {
		t.Errorf("of a profile that is not there: %q, %+v", attributes, document)
	}
	ps[2].Credentials = nil
	if attributes, _ := ps.Verified("staff"); attributes != nil {
		t.Errorf("of a profile without credentials: %q", attributes)
	}
}

// What must not show does not, and what stands in its place says what it was.
func TestWhatIsShownInstead(t *testing.T) {
	for want, value := range map[string]any{
		"account a•••@example.org": goodQuestion().Account,
		"evidence[redacted]":       goodQuestion().Evidence,
		"[redacted]":               recovery.NewPassValue("SECRET22"),
		"transaction txn (denied)": recovery.Transaction{ID: "txn", State: recovery.StateDenied},
		"account •••":              recovery.Account{},
	} {
		if got := fmt.Sprintf("%+v", value); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := json.Marshal(goodQuestion().Evidence); err != nil {
		t.Error(err)
	}
	for name, want := range map[recovery.AccountName]string{"Zoe@x": "zoe@x", "AZ[`az{": "az[`az{"} {
		if name.Exact() != want {
			t.Errorf("%s is %s", name, name.Exact())
		}
	}
	_, err := recovery.GeneratePass(ones{}, 7)
	mustSay(t, "a short pass", err, "length 7 is not 8 to 48")
	if recovery.DigestOf("").Matches("") || recovery.Digest("").Matches("") || recovery.Digest("").Matches("x") || !recovery.DigestOf("x").Matches("x") {
		t.Error("an empty secret matches, or a right one does not")
	}
}

// A name that shows as it is stays as it is, up to the longest; of a longer one, and of what does not show, it is told.
func TestNamesAreCutAtTheirEnd(t *testing.T) {
	b := setUp(t, nil)
	for name, row := range map[string]struct{ sent, want string }{
		"the longest":         {strings.Repeat("x", 320), strings.Repeat("x", 320)},
		"longer":              {strings.Repeat("x", 321), strings.Repeat("x", 317) + "…"},
		"cut within a letter": {strings.Repeat("x", 316) + "ää" + "x", strings.Repeat("x", 316) + "…"},
		"a control character": {"a\x00b", "a\uFFFDb"},
		"replaced and whole":  {"\x00" + strings.Repeat("x", 314), "\uFFFD" + strings.Repeat("x", 314)},
		"replaced and longer": {"\x00" + strings.Repeat("x", 315), "\uFFFD" + strings.Repeat("x", 314) + "…"},
	} {
		b.attempt(t, recovery.RequestedAccount(row.sent), "192.0.2.1")
		if got := string(b.last().Requested); got != row.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
