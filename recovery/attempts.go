package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// LimitPer names the subject whose attempts a limit counts.
type LimitPer string

// The subjects of limits. A limit on the account alone lets an attacker lock a victim out by starting recoveries in
// the victim's name, so the main rule for accounts is account+network: attempts from the attacker's network do not
// lock out the victim at home. A limit on the account alone should be wide and its window short.
//
// NIST SP 800-63B §5.2.2 requires such throttling of guesses. Microsoft's pages on account recovery publish no
// limits.
const (
	PerAccount        LimitPer = "account"
	PerClient         LimitPer = "client"
	PerNetwork        LimitPer = "network"
	PerAccountNetwork LimitPer = "account+network"
)

// Limit allows Max attempts within a fixed Window, which the first attempt opens. A lock-out therefore ends by
// itself.
type Limit struct {
	Name   string
	Per    LimitPer
	Max    int
	Window time.Duration
}

// LimitSubject describes one attempt: the account, the client and the network it came from.
type LimitSubject struct {
	Account AccountName
	Client  ClientID
	Network string
}

// Key returns the counter's key and whether the limit applies to this subject. The key is a digest, so the store does
// not learn who tries to recover.
func (l Limit) Key(s LimitSubject) (key string, counts bool) {
	var subject string
	switch l.Per {
	case PerAccount:
		subject = s.Account.LimitKey()
	case PerClient:
		subject = string(s.Client)
	case PerNetwork:
		subject = s.Network
	case PerAccountNetwork:
		subject = s.Account.LimitKey() + "\x00" + s.Network
		if s.Network == "" {
			return "", false
		}
	}
	if subject == "" {
		return "", false
	}
	sum := sha256.Sum256([]byte(l.Name + "\x00" + string(l.Per) + "\x00" + subject))
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}

// Limits are all attempt limits of a deployment. An attempt must be within every one of them.
type Limits []Limit

// DefaultLimits are the limits of a deployment that configures none.
func DefaultLimits() Limits {
	return Limits{
		{Name: "account-network", Per: PerAccountNetwork, Max: 5, Window: time.Hour},
		{Name: "account", Per: PerAccount, Max: 20, Window: time.Hour},
		{Name: "network", Per: PerNetwork, Max: 100, Window: time.Hour},
		{Name: "client", Per: PerClient, Max: 10_000, Window: time.Hour},
	}
}

// Validate reports the first mistake, naming the configuration key and the cure.
func (ls Limits) Validate() error {
	names := map[string]bool{}
	for i, l := range ls {
		switch {
		case l.Name == "" || names[l.Name]:
			return fmt.Errorf("limits[%d].name %q: each limit needs a name of its own", i, l.Name)
		case l.Per != PerAccount && l.Per != PerClient && l.Per != PerNetwork && l.Per != PerAccountNetwork:
			return fmt.Errorf("limits[%d].per %q: use %s, %s, %s or %s", i, l.Per, PerAccount, PerClient, PerNetwork, PerAccountNetwork)
		case l.Max < 1:
			return fmt.Errorf("limits[%d].max %d: allow one attempt at least", i, l.Max)
		case l.Window < time.Minute || l.Window > 24*time.Hour:
			return fmt.Errorf("limits[%d].window %s: use one minute to 24 hours, so that a lock-out ends", i, l.Window)
		}
		names[l.Name] = true
	}
	return nil
}

// count counts an attempt against every limit and reports whether one is exceeded. It increments all counters, so that
// the time does not reveal which limit was hit.
func (ls Limits) count(ctx context.Context, counter Counter, subject LimitSubject) (exceeded bool, err error) {
	for _, rule := range ls {
		key, counts := rule.Key(subject)
		if !counts {
			continue
		}
		n, err := counter.Increment(ctx, key, rule.Window)
		if err != nil {
			return false, fmt.Errorf("count the attempt: %w", err)
		}
		exceeded = exceeded || n > int64(rule.Max)
	}
	return exceeded, nil
}
