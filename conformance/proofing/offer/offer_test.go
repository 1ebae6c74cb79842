package offer_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/people"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

type bench struct {
	*offer.Book
	t   *testing.T
	now time.Time
}

func setUp(t *testing.T, capacity int) *bench {
	b := &bench{t: t, now: time.Now()}
	b.Book = offer.NewBook(offer.Config{
		Name: "Northlight", BaseURL: "https://issuer.example", WalletEndpoint: "https://wallet.example/offer",
		Configurations: []string{credential.ConfigurationID}, TransactionCode: true, Capacity: capacity,
		Random: random.New(rand.Reader), Clock: func() time.Time { return b.now },
	})
	return b
}

// make is an offer, and a good token request for it.
func (b *bench) make(txCode string) (*offer.Offer, url.Values) {
	b.t.Helper()
	file, err := credential.NewDossier(people.Samples()[0], nil)
	if err != nil {
		b.t.Fatal(err)
	}
	o, err := b.Make(file, nil, txCode)
	if err != nil {
		b.t.Fatal(err)
	}
	link, err := b.Link(o)
	if err != nil {
		b.t.Fatal(err)
	}
	var object struct {
		Grants map[string]struct {
			Code string `json:"pre-authorized_code"`
		} `json:"grants"`
	}
	if err := json.Unmarshal([]byte(link.JSON), &object); err != nil {
		b.t.Fatal(err)
	}
	form := url.Values{"pre-authorized_code": {object.Grants[offer.GrantType].Code}}
	if txCode != "" {
		form.Set("tx_code", txCode)
	}
	return o, form
}

// Each row starts from a good token request and breaks one thing. A code that was refused stays good, but for its time.
func TestRedemptionsThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(b *bench, form url.Values)
		wanted []string
		cause  string
		spent  bool
	}{
		"another code":        {func(_ *bench, f url.Values) { f.Set("pre-authorized_code", "x") }, nil, "invalid_grant: the pre-authorized code is unknown", false},
		"no transaction code": {func(_ *bench, f url.Values) { f.Del("tx_code") }, nil, "invalid_request: the transaction code is missing", false},
		"a wrong one":         {func(_ *bench, f url.Values) { f.Set("tx_code", "000000") }, nil, "invalid_grant: the transaction code is another one", false},
		"not what was offered": {
			func(*bench, url.Values) {}, []string{credential.ConfigurationID, credential.LicenceID},
			"invalid_authorization_details: a credential_configuration_id was not offered", false,
		},
		"too late": {func(b *bench, _ url.Values) { b.now = b.now.Add(offer.Life + time.Second) }, nil, "invalid_grant: the pre-authorized code is unknown", true},
	} {
		b := setUp(t, 1)
		o, good := b.make("123456")
		broken := url.Values{}
		for member := range good {
			broken.Set(member, good.Get(member))
		}
		row.change(b, broken)
		var refused web.Error
		if got, err := b.Redeem(broken, row.wanted); got != nil || !errors.As(err, &refused) || !strings.HasPrefix(refused.Error(), row.cause) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := b.Redeem(good, nil); row.spent == (err == nil) || err == nil && got != o {
			t.Errorf("%s: and then as it should be: %v", name, err)
		}
		if _, err := b.Redeem(good, nil); err == nil {
			t.Errorf("%s: redeemed twice", name)
		}
	}
}

func TestStates(t *testing.T) {
	for name, row := range map[string]struct {
		reach func(b *bench, o *offer.Offer, form url.Values)
		want  offer.State
	}{
		"made":       {func(*bench, *offer.Offer, url.Values) {}, offer.Open},
		"one miss":   {func(b *bench, _ *offer.Offer, f url.Values) { f.Set("tx_code", "1"); _, _ = b.Redeem(f, nil) }, offer.Open},
		"too late":   {func(b *bench, _ *offer.Offer, _ url.Values) { b.now = b.now.Add(offer.Life + time.Second) }, offer.Lapsed},
		"redeemed":   {func(b *bench, _ *offer.Offer, f url.Values) { _, _ = b.Redeem(f, nil) }, offer.Taken},
		"three miss": {func(b *bench, _ *offer.Offer, f url.Values) { misses(b, f, 3) }, offer.Lapsed},
		"fetched": {func(b *bench, o *offer.Offer, f url.Values) {
			_, _ = b.Redeem(f, nil)
			o.Note(credential.ConfigurationID, []string{"one"})
			b.now = b.now.Add(time.Hour)
		}, offer.Fetched},
		"redeemed and left": {func(b *bench, _ *offer.Offer, f url.Values) {
			_, _ = b.Redeem(f, nil)
			b.now = b.now.Add(2*offer.Life + time.Second)
		}, offer.Lapsed},
	} {
		b := setUp(t, 1)
		o, form := b.make("123456")
		row.reach(b, o, form)
		if got := o.State(b.now); got != row.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func misses(b *bench, form url.Values, n int) {
	form.Set("tx_code", "1")
	for range n {
		_, _ = b.Redeem(form, nil)
	}
}

// What is open is bounded, and what has expired makes room.
func TestCapacity(t *testing.T) {
	b := setUp(t, 1)
	o, _ := b.make("")
	if _, err := b.Make(o.File, nil, ""); !errors.Is(err, web.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	b.now = b.now.Add(offer.Life + time.Second)
	b.make("")
}

func TestOfferOfThePages(t *testing.T) {
	b := setUp(t, 2)
	o, _ := b.make("")
	paged, err := b.OfferTo(o.File)
	if err != nil {
		t.Fatal(err)
	}
	if len(paged.TxCode) != 6 || strings.Trim(paged.TxCode, "0123456789") != "" {
		t.Errorf("its transaction code is %q", paged.TxCode)
	}
	if link := b.WalletLink(paged); !strings.HasPrefix(link, "https://wallet.example/offer?credential_offer_uri=") {
		t.Errorf("its link is %s", link)
	}
}
