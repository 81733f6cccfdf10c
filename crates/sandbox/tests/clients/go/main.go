// Does what each event's "do" says, as the functions of the other languages beside it.
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do      string
	Wait    string
	Fail    bool
	RawPath string
}

type onPurpose struct{ message string }

func (e *onPurpose) Error() string { return e.message }

func handle(ctx context.Context, event event) (any, error) {
	switch event.Do {
	case "throw":
		return nil, &onPurpose{"on purpose"}
	case "panic":
		panic("on purpose")
	case "log":
		logger := slog.New(lambdacontext.NewLogHandler())
		logger.DebugContext(ctx, "a detail")
		logger.InfoContext(ctx, "for the record", "cart", 7)
		logger.ErrorContext(ctx, "it broke")
		return nil, nil
	case "big":
		return strings.Repeat("x", 7<<20), nil
	case "memory":
		return memory(), nil
	case "kill":
		return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hang":
		time.Sleep(10 * time.Minute)
		return nil, nil
	case "stream":
		return stream(event), nil
	}
	if event.RawPath != "" {
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 201,
			Headers:    map[string]string{"x-own": "yes"},
			Cookies:    []string{"a=1"},
			Body:       stream(event),
		}, nil
	}
	return report(ctx), nil
}

func report(ctx context.Context) any {
	os.Stdout.WriteString("two\nlines\n")
	lambdaContext, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"request":      lambdaContext.AwsRequestID,
		"arn":          lambdaContext.InvokedFunctionArn,
		"function":     lambdacontext.FunctionName,
		"memory_mb":    lambdacontext.MemoryLimitInMB,
		"remaining_ms": time.Until(deadline).Milliseconds(),
		"trace":        ctx.Value("x-amzn-trace-id"),
		"custom":       lambdaContext.ClientContext.Custom,
	}
}

// The second half waits for a file, so that whoever reads can tell a stream from an answer in one piece.
func stream(event event) io.Reader {
	reader, writer := io.Pipe()
	go func() {
		io.Copy(writer, strings.NewReader("first half, "))
		for event.Wait != "" {
			if _, err := os.Stat(event.Wait); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if event.Fail {
			writer.CloseWithError(&onPurpose{"too late"})
			return
		}
		io.Copy(writer, strings.NewReader("second half"))
		writer.Close()
	}()
	return reader
}

// Four times what the function may have, and no danger to a machine that does not stop it.
func memory() int {
	var hog [][]byte
	for range 512 {
		hog = append(hog, bytes.Repeat([]byte("x"), 1<<20))
	}
	return len(hog)
}

func main() {
	if os.Getenv("FAIL_INIT") != "" {
		panic(errors.New("no init today"))
	}
	lambda.Start(handle)
}
