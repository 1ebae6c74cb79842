package chain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/chain"
	"regain/conformance/wallet/wallettest"
)

func TestTrusted(t *testing.T) {
	root, other := wallettest.NewAuthority(t, "Root"), wallettest.NewAuthority(t, "Other")
	leaf := root.Party(t, "Leaf").DER[0]
	for name, test := range map[string]struct {
		ders [][]byte
		at   time.Time
		says string
	}{
		"right":       {ders: [][]byte{leaf}},
		"another's":   {ders: other.Party(t, "Leaf").DER, says: "not trusted"},
		"expired":     {ders: [][]byte{leaf}, at: wallettest.Noon().AddDate(1, 0, 0), says: "not trusted"},
		"with anchor": {ders: [][]byte{leaf, root.Certificate.Raw}, says: "self-signed"},
		"self-signed": {ders: wallettest.SelfSigned(t, "Leaf").DER, says: "self-signed"},
	} {
		c, err := chain.Parse(test.ders)
		if err != nil {
			t.Fatal(err)
		}
		if test.at.IsZero() {
			test.at = wallettest.Noon()
		}
		err = c.Trusted(root.Pool(), test.at)
		if (test.says == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
	c, err := chain.Parse([][]byte{leaf})
	if err != nil || c.Name() != "Leaf" || !slices.Equal(c.AKIs(), []string{wallettest.Encode([]byte("Root"))}) {
		t.Errorf("%s, %v, %v", c.Name(), c.AKIs(), err)
	}
	if err := c.Trusted(nil, time.Time{}); err != nil {
		t.Errorf("without anchors: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, ders := range map[string][][]byte{"nothing": nil, "too many": make([][]byte, 9), "nonsense": {[]byte("x")}} {
		if _, err := chain.Parse(ders); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
