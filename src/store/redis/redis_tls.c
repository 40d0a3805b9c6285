#include "redis_tls.h"

#ifdef RATELIMITD_TLS

#include <stdlib.h>
#include <string.h>

#include <hiredis/async.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct redis_tls {
    SSL_CTX *context;
    bool skip_verify;
};

static void
report_openssl(struct report *report, const char *place, const char *file)
{
    unsigned long error = ERR_get_error();
    const char *reason =
        ERR_GET_LIB(error) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);

    ERR_clear_error();
    report_add(report, "%s: \"%s\": %s; accepted: a readable PEM file", place, file,
               reason ? reason : "not understood by OpenSSL");
}

static void
load_files(SSL_CTX *context, const struct redis_tls_options *options, struct report *report)
{
    const char *key_file = options->key_file[0] ? options->key_file : options->cert_file;
    const char *key_place = options->key_file[0] ? options->key_place : options->cert_place;

    if (options->ca_file[0] == '\0')
        SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_file(context, options->ca_file) != 1)
        report_openssl(report, options->ca_place, options->ca_file);
    if (options->cert_file[0] == '\0') {
        if (options->key_file[0] != '\0')
            report_add(report, "%s: \"%s\": a key without a certificate; accepted: both or none",
                       options->key_place, options->key_file);
        return;
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        report_openssl(report, options->cert_place, options->cert_file);
    else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        report_openssl(report, key_place, key_file);
}

/* Only records the reason, which hiredis does not report. */
static int
on_verify(int trusted, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char **certificate_error = SSL_get_app_data(ssl);

    if (!trusted)
        *certificate_error = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    return trusted;
}

struct redis_tls *
redis_tls_new(const struct redis_tls_options *options, struct report *report)
{
    struct redis_tls *tls = calloc(1, sizeof(*tls));
    size_t before = report->count;

    if (tls)
        tls->context = SSL_CTX_new(TLS_client_method());
    if (tls == NULL || tls->context == NULL) {
        report_add(report, "TLS: out of memory");
        redis_tls_free(tls);
        return NULL;
    }
    tls->skip_verify = options->skip_verify;
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    if (tls->skip_verify)
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL);
    else
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, on_verify);
    /* hiredis may write a batch in parts, and may move its buffer in between. */
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    load_files(tls->context, options, report);
    if (report->count == before)
        return tls;
    redis_tls_free(tls);
    return NULL;
}

void
redis_tls_free(struct redis_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* The certificate must be for this host: an address, or a name, which is also sent as SNI. */
static bool
expect_host(SSL *ssl, const struct redis_url *url)
{
    if (url->host_is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url->host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, url->host) == 1 && SSL_set_tlsext_host_name(ssl, url->host) == 1;
}

bool
redis_tls_start(const struct redis_tls *tls, redisAsyncContext *context, const struct redis_url *url,
                const char **certificate_error)
{
    SSL *ssl = SSL_new(tls->context);

    *certificate_error = NULL;
    if (ssl == NULL)
        return false;
    SSL_set_app_data(ssl, certificate_error);
    if (!expect_host(ssl, url) || redisInitiateSSL(&context->c, ssl) != REDIS_OK) {
        SSL_free(ssl);
        return false;
    }
    return true;
}

#else

#include <stddef.h>

struct redis_tls *
redis_tls_new(const struct redis_tls_options *options, struct report *report)
{
    (void)options;
    report_add(report, "REDIS_URL: rediss:// needs hiredis 1.0 or later with its SSL library, which this "
                       "build does not have; "
                       "accepted here: redis://, unix://");
    return NULL;
}

void
redis_tls_free(struct redis_tls *tls)
{
    (void)tls;
}

bool
redis_tls_start(const struct redis_tls *tls, struct redisAsyncContext *context, const struct redis_url *url,
                const char **certificate_error)
{
    (void)tls;
    (void)context;
    (void)url;
    (void)certificate_error;
    return false;
}

#endif
