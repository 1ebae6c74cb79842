package provider

import (
	"log/slog"

	"github.com/gin-gonic/gin"

	"regain/provider/diagnosis"
	"regain/provider/exchange"
	"regain/recovery"
)

// keyDiagnosis is where a request's event record collects what happened between a wallet and us.
const keyDiagnosis = "regain.diagnosis"

// diagnose begins the diagnosis of a request.
func (p *Provider) diagnose(c *gin.Context, way recovery.Way) *diagnosis.Diagnosis {
	d := diagnosis.New(string(way.Wallet), string(way.Flow), p.deps.Clock)
	c.Set(keyDiagnosis, d)
	return d
}

// noteQuery notes what a wallet is asked.
func (p *Provider) noteQuery(d *diagnosis.Diagnosis, asked recovery.Asked, e exchange.Exchange) {
	if query, err := p.rules.Query(asked.Profile, e.Formats()); err == nil {
		d.Ask(query)
	}
}

// diagnosed is the attribute of the request's event record.
func diagnosed(c *gin.Context) (slog.Attr, bool) {
	d, ok := c.Get(keyDiagnosis)
	return slog.Any(diagnosis.Attribute, d), ok
}
