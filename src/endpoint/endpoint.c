#include "endpoint.h"

enum endpoint_status
endpoint_problem(struct endpoint_request *request, unsigned status, const char *detail)
{
    request->response = response_problem(status, NULL, detail, request->closing);
    return ENDPOINT_ANSWERED;
}
