package oauth_test

import (
	"bytes"
	"strings"
	"testing"

	"regain/provider/contract"
	"regain/provider/oauth"
)

// The token secret is announced, used and retired at one node after the other, over one store. In each step, a code of
// either node is redeemed at the other, once, and the tokens are honoured at both: nobody's recovery ends for it.
func TestTheTokenSecretRotates(t *testing.T) {
	key := func(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }
	for name, nodes := range map[string][2][]byte{
		"before": {{2}, {2}}, "announced at one": {{2, 3}, {2}}, "announced": {{2, 3}, {2, 3}}, "used at one": {{3, 2}, {2, 3}}, "used": {{3, 2}, {3, 2}},
	} {
		p := assemble(t, contract.Tenant{}, nil)
		var servers []*oauth.Server
		for _, keys := range nodes {
			cfg := p.cfg
			cfg.Secret = key(keys[0])
			for _, other := range keys[1:] {
				cfg.OtherSecrets = append(cfg.OtherSecrets, key(other))
			}
			server, err := oauth.New(cfg, p.deps)
			p.must(err)
			servers = append(servers, server)
		}
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			p.Server = servers[order[0]]
			form := p.brokersCode()
			p.Server = servers[order[1]]
			if _, err := p.redeem(form); err != nil {
				t.Errorf("%s: a code of the other node: %v", name, err)
				continue
			}
			if _, err := p.redeem(form); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
				t.Errorf("%s: a code that was used: %v", name, err)
			}
			tokens, err := p.redeem(p.brokersCode()) // the first's were revoked when its code came again
			p.must(err)
			for i, server := range servers {
				p.Server = server
				if err := p.access(tokens["access_token"]); err != nil {
					t.Errorf("%s: an access token at node %d: %v", name, i, err)
				}
			}
		}
	}
}

// A secret that was retired, or that nobody announced, signs nothing that is honoured.
func TestATokenSecretOfNobody(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	cfg := p.cfg
	cfg.Secret = bytes.Repeat([]byte{9}, 32)
	elsewhere, err := oauth.New(cfg, p.deps)
	p.must(err)
	ours := p.Server
	p.Server = elsewhere
	form := p.brokersCode()
	p.Server = ours
	if _, err := p.redeem(form); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a code under a secret that is not ours: %v", err)
	}
	for n, others := range map[string][][]byte{"token secret 2": {make([]byte, 31)}, "token secret 3": {make([]byte, 32), nil}} {
		cfg.OtherSecrets = others
		if _, err := oauth.New(cfg, p.deps); err == nil || !strings.Contains(err.Error(), n+": 32 bytes are required") {
			t.Errorf("%s: %v", n, err)
		}
	}
}
