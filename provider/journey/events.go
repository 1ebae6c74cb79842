package journey

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// How long one connection of a live page lasts; the browser reconnects by itself.
const (
	progressFor = 2 * time.Minute
	writeWithin = 10 * time.Second       // how long a browser may take to read one event
	soonest     = 100 * time.Millisecond // between two looks at what time has changed: clocks that disagree make no busy loop
)

// progress is one server-sent event. Reload tells the page that another page is due.
type progress struct {
	Text   string `json:"text"`
	Reload bool   `json:"reload"`
	// Codes are the texts of the QR codes, by the kind of wallet: they change while nobody scans them.
	Codes map[recovery.WalletName]string `json:"codes,omitempty"`
}

// events streams the transaction's progress (HTML Living Standard §9.2). Without scripts the page has a
// link to look again: one that refreshes itself would throw a screen reader back to its start (WCAG 2.2 §2.2.1).
func (p *Pages) events(c *gin.Context, t recovery.Transaction) error {
	leave, ok := p.streams.enter(t.ID, p.deps.Web.Network(c))
	if !ok {
		c.String(http.StatusTooManyRequests, "Too many live pages are open. Reload this page to see how the recovery stands.\n")
		return nil
	}
	defer leave()
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	// The connection lives for minutes, which the server's own deadlines do not allow. A server without deadlines answers
	// with an error that says nothing to us.
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(progressFor + writeWithin))
	if err := p.follow(c, t); err != nil && c.Request.Context().Err() == nil {
		web.NoteError(c, err) // the stream has begun, so nothing else can be said; the browser connects again
	}
	return nil
}

// write sends one event, to a browser that reads: one that does not would hold its connection, and this goroutine.
func write(c *gin.Context, line string) error {
	control := http.NewResponseController(c.Writer)
	_ = control.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := c.Writer.WriteString(line); err != nil {
		return err
	}
	if err := control.Flush(); err != nil {
		return err
	}
	_ = control.SetWriteDeadline(time.Now().Add(progressFor + writeWithin)) // until the next event, which sets its own
	return nil
}

// follow writes an event whenever what the page shows has changed, until another page is due. It looks at the transaction
// when it was changed, by whichever node, and when time alone changes it, and never in between.
func (p *Pages) follow(c *gin.Context, t recovery.Transaction) error {
	// The page says what it shows: between its rendering and this connection, or between two connections, the transaction
	// may have moved on, and a page that is not told waits for ever.
	seen := c.DefaultQuery("seen", snapshot(t))
	id, secret := t.ID, binding.Secret(c, t.ID)
	changed, stop := p.deps.Changes.Watch(id, t.Version)
	defer stop()
	end := time.NewTimer(progressFor)
	defer end.Stop()
	due := time.NewTimer(progressFor)
	defer due.Stop()
	shown := ""
	for {
		// It is read after Watch, which tells of later changes only.
		t, err := p.look(c, id, secret)
		if err != nil {
			return err
		}
		event := progressOf(t, seen != snapshot(t))
		if event.Codes, err = p.codes(c, t); err != nil {
			return err
		}
		if line := event.encode(); line != shown {
			if err := write(c, line); err != nil {
				return err
			}
			shown = line
		}
		if event.Reload {
			return nil
		}
		if err := p.wake(due, t); err != nil {
			return err
		}
		select {
		case <-c.Request.Context().Done():
			return nil
		case <-p.streams.ended:
			return nil
		case <-end.C:
			return nil
		case <-changed:
		case <-due.C:
		}
	}
}

// look returns the transaction as it stands now.
func (p *Pages) look(c *gin.Context, id recovery.TransactionID, secret string) (recovery.Transaction, error) {
	t, err := p.deps.Recovery.Open(c, id, secret)
	if err != nil {
		return t, err
	}
	return p.deps.Recovery.Rotate(c, t)
}

// wake sets the timer to when time alone changes the transaction.
func (p *Pages) wake(timer *time.Timer, t recovery.Transaction) error {
	due, err := p.deps.Recovery.Due(t)
	if err != nil {
		return err
	}
	if due.IsZero() {
		timer.Stop()
		return nil
	}
	timer.Reset(max(due.Sub(p.deps.Clock()), soonest))
	return nil
}

func progressOf(t recovery.Transaction, changed bool) progress {
	if changed {
		return progress{Text: "Checking what your wallet showed …", Reload: true}
	}
	return progress{Text: progressText(waitingFor(t))}
}

func (e progress) encode() string {
	data, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return "event: progress\ndata: " + string(data) + "\n\n"
}

// codes are the texts of the QR codes that the page shows now.
func (p *Pages) codes(c *gin.Context, t recovery.Transaction) (map[recovery.WalletName]string, error) {
	texts := make(map[recovery.WalletName]string)
	for _, channel := range t.Channels() {
		if channel.Flow != recovery.FlowCrossDevice || t.Presentation.Answer != nil || t.HandleOf(channel) == "" {
			continue
		}
		text, err := p.deps.Wallets.RequestURL(c, t, channel)
		if err != nil {
			return nil, err
		}
		texts[channel.Wallet] = text
	}
	return texts, nil
}
