package plan

import (
	"fmt"
	"slices"
	"strings"

	"regain/internal/config"
	"regain/recovery"
)

// lintLimits warns of a limit that attempts from one network use up: then everybody else is refused, for as long as somebody
// likes. Windows differ, so it is a warning where a number of connections is a mistake.
func lintLimits(c config.Config, add func(string, ...any)) {
	within := map[recovery.LimitPer][]recovery.LimitPer{
		recovery.PerClient:  {recovery.PerNetwork}, // one network may try many accounts
		recovery.PerAccount: {recovery.PerNetwork, recovery.PerAccountNetwork},
	}
	for i, l := range c.Limits {
		narrower := within[recovery.LimitPer(l.Per)]
		if len(narrower) == 0 {
			continue
		}
		held, has := false, []string(nil)
		for j, n := range c.Limits {
			if !slices.Contains(narrower, recovery.LimitPer(n.Per)) || n.Window <= 0 {
				continue
			}
			windows := int((l.Window + n.Window - 1) / n.Window)
			held = held || n.Max*recovery.SiteFactor*windows < l.Max // an IPv6 site is one attacker's, too
			has = append(has, fmt.Sprintf("limits[%d] (%s) allows %d in %s", j, n.Name, n.Max, n.Window))
		}
		switch {
		case held:
		case len(has) > 0:
			add("limits[%d] (%s): allows %d in %s, and %s, which lets one network, or the IPv6 site around it, use it up and lock out everybody else: lower the max of that one, or raise this one's", i, l.Name, l.Max, l.Window, strings.Join(has, " and "))
		default:
			add("limits[%d] (%s): there is no limit per %s, so one network can use it up and lock out everybody else: add one with a lower max", i, l.Name, joined(narrower))
		}
	}
}

func joined(subjects []recovery.LimitPer) string {
	var names []string
	for _, s := range subjects {
		names = append(names, string(s))
	}
	return strings.Join(names, " or ")
}
