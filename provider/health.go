package provider

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// probes answer those who watch over nodes:
//
//	/livez             200 while the process serves: nothing that a restart would cure is asked for
//	/readyz, /healthz  503 while a recovery that came here would not end here
//
// The second says which part in words of ours, and nothing of the cause: anybody may ask. Files that could not be read again
// are told too, and are no reason for 503: the node works with what they held before, and every other node would have the
// same ones. So is a store that was put back to an older copy of itself: the node goes on with it, and whoever watches the
// probe finds out who put it back.
type probes struct {
	unready  func(context.Context) []string // parts that cannot be written
	stale    func() bool
	wentBack func() bool // to an older copy of the store
	stopping func() bool
}

func live(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.String(http.StatusOK, "ok\n")
}

func (p probes) ready(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	status, body := http.StatusOK, gin.H{}
	if p.stale != nil && p.stale() {
		body["status"], body["files"] = "degraded", "not read again"
	}
	if p.wentBack != nil && p.wentBack() {
		body["status"], body["store"] = "degraded", "an older copy was put back"
	}
	var parts []string
	if p.unready != nil {
		parts = p.unready(c)
	}
	for _, part := range parts {
		status, body["status"], body[part] = http.StatusServiceUnavailable, "unavailable", "cannot be written"
	}
	if p.stopping != nil && p.stopping() { // whoever asks sends no more people here, and the others finish
		status, body["status"] = http.StatusServiceUnavailable, "stopping"
	}
	if len(body) == 0 {
		live(c)
		return
	}
	c.JSON(status, body)
}
