// A transform in Go: sound, or with one fault, named on the command line.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"unicode/utf8"
)

const limit = 6_291_556

var fault = "none"
var seen = map[string]bool{}

type record struct {
	ID       string  `json:"recordId"`
	Data     *string `json:"data"`
	Kafka    *string `json:"kafkaRecordValue"`
	Metadata struct {
		Subsequence json.RawMessage `json:"subsequenceNumber"`
	} `json:"kinesisRecordMetadata"`
}

type answer struct {
	ID     string  `json:"recordId"`
	Result string  `json:"result"`
	Data   *string `json:"data,omitempty"`
	Kafka  *string `json:"kafkaRecordValue,omitempty"`
}

func transform(asked record) (answer, error) {
	failed := answer{ID: asked.ID, Result: "ProcessingFailed"}
	data := asked.Data
	if data == nil {
		data = asked.Kafka
	}
	if data == nil {
		return failed, nil
	}
	if fault == "drops-known-ids" {
		if seen[asked.ID] {
			return answer{ID: asked.ID, Result: "Dropped"}, nil
		}
		seen[asked.ID] = true
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(*data)
	if err != nil && fault == "exits-on-bad-base64" {
		fmt.Fprintln(os.Stderr, "cannot decode:", err)
		os.Exit(3)
	}
	var event map[string]json.RawMessage
	if err != nil || !utf8.Valid(payload) || json.Unmarshal(payload, &event) != nil || event == nil {
		return failed, nil
	}
	event["seen_by"] = json.RawMessage(`"a transform in Go that writes so long a text into every event"`)
	line, err := json.Marshal(event)
	if err != nil {
		return failed, nil
	}
	encoded := base64.StdEncoding.EncodeToString(append(line, '\n'))
	if asked.Data == nil {
		return answer{ID: asked.ID, Result: "Ok", Kafka: &encoded}, nil
	}
	return answer{ID: asked.ID, Result: "Ok", Data: &encoded}, nil
}

func handle(body io.Reader) (any, error) {
	var batch struct {
		Records []record `json:"records"`
	}
	if err := json.NewDecoder(body).Decode(&batch); err != nil {
		return nil, err
	}
	answers := []answer{}
	left := limit - 100*len(batch.Records)
	for _, asked := range batch.Records {
		if fault == "wants-numbers" && asked.Metadata.Subsequence != nil {
			var number int64
			if err := json.Unmarshal(asked.Metadata.Subsequence, &number); err != nil {
				return nil, err
			}
		}
		one, err := transform(asked)
		if err != nil {
			return nil, err
		}
		if one.Data != nil {
			left -= len(*one.Data) + 20
		}
		if left < 0 {
			if fault == "cuts-answers" {
				break
			}
			one = answer{ID: asked.ID, Result: "ProcessingFailed"}
			if fault == "drops-overflow" {
				one.Result = "Dropped"
			}
		}
		answers = append(answers, one)
	}
	return map[string]any{"records": answers}, nil
}

func main() {
	if len(os.Args) > 1 {
		fault = os.Args[1]
	}
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		invocation, err := http.Get(api + "next")
		if err != nil {
			os.Exit(1)
		}
		id := invocation.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answered, err := handle(invocation.Body)
		kind := "/response"
		if err != nil {
			answered, kind = map[string]string{"errorType": "Error", "errorMessage": err.Error()}, "/error"
		}
		body, _ := json.Marshal(answered)
		sent, err := http.Post(api+id+kind, "application/json", bytes.NewReader(body))
		if err == nil {
			sent.Body.Close()
		}
	}
}
