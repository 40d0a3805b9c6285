#include "endpoint.h"

struct response
endpoint_problem_about(const struct endpoint_request *request, unsigned status, const char *field,
                       const char *detail)
{
    return response_problem(
        &(struct problem){
            .status = status, .field = field, .detail = detail, .trace_id = request->headers->trace_id},
        request->closing);
}

enum endpoint_status
endpoint_problem(struct endpoint_request *request, unsigned status, const char *detail)
{
    request->response = endpoint_problem_about(request, status, NULL, detail);
    return ENDPOINT_ANSWERED;
}
