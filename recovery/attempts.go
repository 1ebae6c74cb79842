package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// LimitPer names the subject whose attempts a limit counts.
type LimitPer string

// The subjects of limits. There is no limit on the account alone by default: whoever knows the name could use it up from
// many networks, again and again, and the victim's first attempt would be denied. The rule for accounts is
// account+network: attempts from the attacker's network do not lock out the victim at home.
//
// NIST SP 800-63B §5.2.2 requires such throttling of guesses. Microsoft's pages on account recovery publish no
// limits.
const (
	PerAccount        LimitPer = "account"
	PerClient         LimitPer = "client"
	PerNetwork        LimitPer = "network"
	PerAccountNetwork LimitPer = "account+network"
)

// ofAccount reports whether the limit counts attempts on an account.
func (p LimitPer) ofAccount() bool { return p == PerAccount || p == PerAccountNetwork }

// ofNetwork reports whether the limit counts attempts from a network.
func (p LimitPer) ofNetwork() bool { return p == PerNetwork || p == PerAccountNetwork }

// Limit allows Max attempts within a fixed Window, which the first attempt opens. A lock-out therefore ends by
// itself.
type Limit struct {
	Name   string
	Per    LimitPer
	Max    int
	Window time.Duration
}

// LimitSubject describes one attempt: the account that was asked for, the one that the directory has ("" for none), the
// client, and the network it came from.
type LimitSubject struct {
	Requested RequestedAccount
	Account   AccountID
	Client    ClientID
	Network   string // an address, a prefix in the notation of RFC 4291 §2.3, or UnknownNetwork
}

// tally is one counter that an attempt increments, and how many attempts it allows.
type tally struct {
	Hit // on a digest, so the store does not learn who tries to recover
	// silent: that it is exceeded is not shown, since the count depends on which account the directory has.
	silent bool
}

// SiteFactor is how many times as much as one IPv6 network (/64) a whole site (/48) may try: providers give a customer up
// to a /48 (RFC 6177 §2), whose 65,536 networks are all one attacker's, while a mobile carrier's /48 serves many people.
const SiteFactor = 4

// tallies returns the counters that an attempt increments, in an order and number that do not depend on whether there is
// such an account. requested is the key of what was asked for.
//
// A limit on the account is counted twice: by what was asked for, which may be shown, and by the account that the
// directory has, which must not be. If the second were shown, five attempts by name and one by a guessed id would tell
// whose id it is.
func (l Limit) tallies(s LimitSubject, requested string) (all []tally) {
	type counted struct {
		key    string
		silent bool
	}
	accounts := []counted{{}}
	if l.Per.ofAccount() {
		id := string(s.Account)
		if id == "" { // counted all the same, as nobody's
			id = "\x00" + requested
		}
		accounts = []counted{{key: "requested\x00" + requested}, {key: "account\x00" + id, silent: true}}
	}
	networks := []Hit{{Max: 1}}
	if l.Per.ofNetwork() {
		networks = networksOf(s.Network)
	}
	for _, account := range accounts {
		for _, network := range networks {
			key := account.key + "\x00" + network.Key
			if l.Per == PerClient {
				key = string(s.Client)
			}
			sum := sha256.Sum256([]byte(l.Name + "\x00" + string(l.Per) + "\x00" + key))
			all = append(all, tally{Hit{base64.RawURLEncoding.EncodeToString(sum[:]), l.Window, network.Max * int64(l.Max)}, account.silent})
		}
	}
	return all
}

// networksOf returns the networks that an attempt is counted under, each with a factor in Max: the one that it came from and,
// for IPv6, the site around it. All attempts from unknown networks are counted as of one.
func networksOf(network string) []Hit {
	networks := []Hit{{Key: network, Max: 1}}
	const site = 48
	prefix, err := netip.ParsePrefix(network)
	if err != nil {
		address, _ := netip.ParseAddr(network) // of what is no address, the zero one, which has no bits
		prefix = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
	}
	if prefix.Bits() <= site { // so is every network of IPv4
		return networks
	}
	around := netip.PrefixFrom(prefix.Addr().WithZone(""), site).Masked()
	return append(networks, Hit{Key: around.String(), Max: SiteFactor})
}

// Limits are all attempt limits of a deployment. An attempt must be within every one of them.
type Limits []Limit

// DefaultLimits are the limits of a deployment that configures none.
func DefaultLimits() Limits {
	return Limits{
		{Name: "account-network", Per: PerAccountNetwork, Max: 5, Window: time.Hour},
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

// exceeded says whether an attempt is beyond a limit: openly, on what was asked for, or silently, on the account that the
// directory has.
type exceeded struct{ openly, silently bool }

// count counts an attempt against every limit, together: a store that waits for its disk waits once for all of them, and the
// time does not tell which limit was hit. What does not depend on the account comes first, and beyond such a limit nothing
// else is counted: whoever goes on with a new name each time would fill the store with its counters.
func (ls Limits) count(ctx context.Context, counter Counter, subject LimitSubject) (over exceeded, err error) {
	requested := subject.Requested.LimitKey()
	var general, ofAccount []tally
	for _, rule := range ls {
		if rule.Per.ofAccount() {
			ofAccount = append(ofAccount, rule.tallies(subject, requested)...)
		} else {
			general = append(general, rule.tallies(subject, requested)...)
		}
	}
	counts, err := counter.Count(ctx, hits(general), hits(ofAccount))
	if err != nil {
		return exceeded{}, fmt.Errorf("count the attempt: %w", err)
	}
	for i, one := range slices.Concat(general, ofAccount) {
		switch {
		case counts[i] <= one.Max:
		case one.silent:
			over.silently = true
		default:
			over.openly = true
		}
	}
	return over, nil
}

func hits(all []tally) []Hit {
	list := make([]Hit, len(all))
	for i, one := range all {
		list[i] = one.Hit
	}
	return list
}
