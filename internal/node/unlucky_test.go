package node_test

import (
	"testing"

	"regain/internal/node"
)

// The proxies that send certificates are a list of their own: those that name the person's address need not be there.
func TestCertificateProxiesAlone(t *testing.T) {
	cfg := behind(t)
	cfg.TrustedProxies = nil
	if err := node.Check(cfg); err != nil {
		t.Error(err)
	}
}
