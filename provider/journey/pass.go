package journey

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// passPage shows the pass, in answer to one form and on no page that can be visited again.
type passPage struct {
	basePage
	Pass shownPass
}

type shownPass struct {
	Value string
	Until string // with its time zone
	Once  bool
}

// showPass issues the pass and shows it, where the client cannot receive it.
func (p *Pages) showPass(c *gin.Context, t recovery.Transaction) error {
	base, err := p.basePage(c, t)
	if err != nil {
		return err
	}
	if !base.ShowsPass {
		return web.ErrNotNow
	}
	redemption, err := p.deps.Recovery.Redeem(c, recovery.Claim{Transaction: t.ID, Client: t.Client})
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrIllegalStep):
		return binding.RedirectToPage(c, t.ID, nil)
	case err != nil:
		return err
	}
	binding.Note(c, redemption.Transaction)
	pass := redemption.Pass
	base.say(web.PassShown)
	base.Title, base.State = "Your pass", redemption.Transaction.State
	p.deps.Web.Render(c, http.StatusOK, "pass", &passPage{base, shownPass{
		Value: pass.Value.Reveal(), Until: pass.ExpiresAt.UTC().Format("15:04 UTC on 2 January 2006"), Once: pass.UsableOnce,
	}})
	return nil
}
