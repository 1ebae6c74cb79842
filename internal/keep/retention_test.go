package keep_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/keep"
)

// The shortest time that segments are kept is longer than a pass may live, and a mistake stops the start.
func TestHowLongTheLogIsKept(t *testing.T) {
	for days, want := range map[int]time.Duration{0: 0, 31: 31 * 24 * time.Hour, 400: 400 * 24 * time.Hour, 30: -1, 1: -1, -1: -1} {
		kept, err := keep.AuditKeep(config.AuditConfig{KeepDays: days})
		if want >= 0 && (kept != want || err != nil) || want < 0 && (err == nil || !strings.Contains(err.Error(), "audit.keep_days")) {
			t.Errorf("%d days: %s, %v", days, kept, err)
		}
	}
}
