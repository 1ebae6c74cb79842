package node_test

import (
	"testing"

	"regain/adapters/auditlog"
	"regain/internal/config"
)

// The configuration, which knows no adapter, says the size of a segment that the log has by default.
func TestTheDefaultSegmentIsOneSize(t *testing.T) {
	if size := config.Defaults().Audit.SegmentMiB << 20; size != auditlog.DefaultSegmentSize {
		t.Errorf("audit.segment_mib is %d octets by default, the log's %d", size, auditlog.DefaultSegmentSize)
	}
}
