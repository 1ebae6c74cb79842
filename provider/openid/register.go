package openid

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
	"regain/provider/registration"
)

const maxMetadata = 64 << 10 // bytes of a client's metadata

// registrar lets clients register themselves.
type registrar struct{ service *registration.Service }

func (r *registrar) mount(router gin.IRouter, forClient wrapper) {
	router.POST(registration.Path, forClient(r.register))
	router.GET(registration.Path+"/:client", forClient(r.manage))
	router.PUT(registration.Path+"/:client", forClient(r.manage))
	router.DELETE(registration.Path+"/:client", forClient(r.manage))
}

// register is RFC 7591 §3.
func (r *registrar) register(c *gin.Context) error {
	body, err := readMetadata(c)
	if err != nil {
		return err
	}
	info, err := r.service.Register(c, bearer(c), body)
	if err != nil {
		return challenge(c, err)
	}
	c.JSON(http.StatusCreated, info)
	return nil
}

// manage is RFC 7592 §2.
func (r *registrar) manage(c *gin.Context) error {
	id := c.Param("client")
	var info any
	var err error
	switch c.Request.Method {
	case http.MethodGet:
		info, err = r.service.Read(c, id, bearer(c))
	case http.MethodPut:
		var body []byte
		if body, err = readMetadata(c); err == nil {
			info, err = r.service.Update(c, id, bearer(c), body)
		}
	default:
		if err = r.service.Delete(c, id, bearer(c)); err == nil {
			c.Status(http.StatusNoContent)
			return nil
		}
	}
	if err != nil {
		return challenge(c, err)
	}
	c.JSON(http.StatusOK, info)
	return nil
}

func readMetadata(c *gin.Context) ([]byte, error) {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, problem.New(http.StatusBadRequest, "invalid_client_metadata", "The body must be application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxMetadata))
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, "invalid_client_metadata", "The body cannot be read, or is too large.").WithCause(err)
	}
	return body, nil
}

// bearer returns the token of the one Authorization header (RFC 6750 §2.1), or "".
func bearer(c *gin.Context) string {
	headers := c.Request.Header.Values("Authorization")
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
