package plan_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/recovery"
)

// A limit that one network may use up alone is no limit for the others but a lock, and is warned of, with both keys and the
// cure.
func TestLimitsThatOneNetworkUsesUp(t *testing.T) {
	limit := func(per recovery.LimitPer, most int, window time.Duration) config.LimitConfig {
		return config.LimitConfig{Name: string(per), Per: string(per), Max: most, Window: window}
	}
	for name, row := range map[string]struct {
		limits []config.LimitConfig
		says   []string // nothing: no warning
	}{
		"none, which are the defaults":     {nil, nil},
		"a network has less than a client": {[]config.LimitConfig{limit("network", 24, time.Hour), limit("client", 100, time.Hour)}, nil},
		"a site has as much as a client":   {[]config.LimitConfig{limit("network", 25, time.Hour), limit("client", 100, time.Hour)}, []string{"limits[1] (client)", "the IPv6 site around it"}},
		"a network has as much as a client": {
			[]config.LimitConfig{limit("network", 100, time.Hour), limit("client", 100, time.Hour)},
			[]string{"limits[1] (client)", "limits[0] (network)", "lets one network, or the IPv6 site around it, use it up", "100 in 1h0m0s", "lower the max"},
		},
		"a network has more, in shorter windows": {
			[]config.LimitConfig{limit("client", 100, 2*time.Hour), limit("network", 5, 5*time.Minute)},
			[]string{"limits[0] (client)", "limits[1] (network)"},
		},
		"a network has less, in longer windows": {[]config.LimitConfig{limit("client", 100, time.Minute), limit("network", 24, time.Hour)}, nil},
		"an account's network has as much as the account": {
			[]config.LimitConfig{limit("account+network", 5, time.Hour), limit("account", 5, time.Hour)},
			[]string{"limits[1] (account)", "limits[0] (account+network)"},
		},
		"a network has less than an account":               {[]config.LimitConfig{limit("network", 1, time.Hour), limit("account", 5, time.Hour)}, nil},
		"one of two limits on networks is below":           {[]config.LimitConfig{limit("network", 500, time.Hour), limit("account+network", 1, time.Hour), limit("account", 5, time.Hour)}, nil},
		"accounts of one network are no limit of a client": {[]config.LimitConfig{limit("account+network", 4, time.Hour), limit("client", 100, time.Hour)}, []string{"limits[1] (client)", "no limit per network"}},
		"an account alone":                                 {[]config.LimitConfig{limit("account", 5, time.Hour)}, []string{"limits[0] (account)", "no limit per network or account+network"}},
	} {
		cfg := valid(t)
		cfg.Limits = row.limits
		var found string
		for _, warning := range warnings(t, cfg, time.Now()) {
			if strings.HasPrefix(warning, "limits[") {
				found += warning + "\n"
			}
		}
		for _, fragment := range row.says {
			if !strings.Contains(found, fragment) {
				t.Errorf("%s: %q does not say %q", name, found, fragment)
			}
		}
		if row.says == nil && found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}
