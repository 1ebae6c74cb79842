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

// How often the live page looks at the stored transaction, and how long one connection lasts; the browser reconnects
// by itself. Looking at the store, and not at an event in this process, works for any number of nodes.
const (
	progressEvery = 500 * time.Millisecond
	progressFor   = 2 * time.Minute
	writeWithin   = 10 * time.Second // how long a browser may take to read one event
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

// follow writes an event whenever what the page shows has changed, until another page is due.
func (p *Pages) follow(c *gin.Context, t recovery.Transaction) (err error) {
	secret := binding.Secret(c, t.ID)
	shown := ""
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	end := time.NewTimer(progressFor)
	defer end.Stop()
	// The page says what it shows: between its rendering and this connection, or between two connections, the transaction
	// may have moved on, and a page that is not told waits for ever.
	seen := c.DefaultQuery("seen", snapshot(t))
	for {
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
		select {
		case <-c.Request.Context().Done():
			return nil
		case <-p.streams.ended:
			return nil
		case <-end.C:
			return nil
		case <-ticker.C:
		}
		if t, err = p.deps.Recovery.Open(c, t.ID, secret); err != nil {
			return err
		}
		if t, err = p.deps.Recovery.Rotate(c, t); err != nil {
			return err
		}
	}
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
