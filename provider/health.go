package provider

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// health answers a load balancer: 503 while a part cannot do what every recovery needs, since whoever starts one here
// would not end it. It says which part in words of ours, and nothing of the cause: anybody may ask.
func health(unready func(context.Context) []string) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		var parts []string
		if unready != nil {
			parts = unready(c)
		}
		if len(parts) == 0 {
			c.String(http.StatusOK, "ok\n")
			return
		}
		body := gin.H{"status": "unavailable"}
		for _, part := range parts {
			body[part] = "cannot be written"
		}
		c.JSON(http.StatusServiceUnavailable, body)
	}
}
