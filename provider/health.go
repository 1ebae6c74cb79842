package provider

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// health answers a load balancer: 503 while a part cannot do what every recovery needs, since whoever starts one here
// would not end it. It says which part in words of ours, and nothing of the cause: anybody may ask. Files that could not be
// read again are told too, and are no reason for 503: the node works with what they held before, and every other node would
// have the same ones. So is a store that was put back to an older copy of itself: the node goes on with it, and whoever
// watches the probe finds out who put it back.
func health(unready func(context.Context) []string, stale, wentBack func() bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		status, body := http.StatusOK, gin.H{}
		if stale != nil && stale() {
			body["status"], body["files"] = "degraded", "not read again"
		}
		if wentBack != nil && wentBack() {
			body["status"], body["store"] = "degraded", "an older copy was put back"
		}
		var parts []string
		if unready != nil {
			parts = unready(c)
		}
		for _, part := range parts {
			status, body["status"], body[part] = http.StatusServiceUnavailable, "unavailable", "cannot be written"
		}
		if len(body) == 0 {
			c.String(status, "ok\n")
			return
		}
		c.JSON(status, body)
	}
}
