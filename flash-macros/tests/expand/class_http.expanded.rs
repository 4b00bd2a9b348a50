static API: Endpoint = Endpoint::http("api");
impl Counter {
    fn new(start: u64) -> Result<Self, Error> {
        Ok(Self(AtomicU64::new(start)))
    }
    async fn add(&self, by: u64) -> Result<u64, Error> {
        Ok(self.0.fetch_add(by, Relaxed))
    }
    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}
/// Remote client of [`Counter`].
#[allow(unreachable_pub)]
#[derive(::core::fmt::Debug, ::core::clone::Clone)]
struct CounterApi {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &API;
    const _: () = __flash::check_http(__RESOURCE);
    const _: () = {
        const __SLOTS: (__flash::Slot<u64>,) = (
            __flash::slot("start", "u64", &__flash::Json).defaulted(),
        );
        const __CONSTRUCTOR: &dyn __flash::Constructs<Result<Counter, Error>, Counter> = &__flash::Constructor;
        #[automatically_derived]
        impl __flash::Class for Counter {
            const META: &'static __flash::ClassMeta = &__flash::ClassMeta::new("Counter")
                .params(&[__SLOTS.0.param()])
                .schemas(__flash::schemas!([u64]));
            type Args = (u64,);
            fn decode(
                fields: &mut __flash::Fields<'_>,
            ) -> ::core::option::Option<Self::Args> {
                let __a0 = __SLOTS
                    .0
                    .take_or(fields, <u64 as ::core::default::Default>::default);
                ::core::option::Option::Some((__a0?,))
            }
            fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
                let (__a0,) = args;
                __SLOTS.0.put(fields, __a0);
            }
            async fn init(
                args: Self::Args,
                _: __flash::Scope,
            ) -> ::core::result::Result<Self, __flash::Error> {
                let (__a0,) = args;
                __CONSTRUCTOR
                    .instance(__flash::blocking(move || <Counter>::new(__a0)).await?)
            }
            async fn exit(instance: ::std::sync::Arc<Self>) {
                __flash::exited::<
                    Self,
                >(__flash::exit_blocking(move || <Counter>::close(&instance)).await);
            }
        }
        #[automatically_derived]
        impl __flash::Callee for Counter {
            const META: &'static __flash::Meta = <__Counter_add as __flash::Remote>::META;
        }
    };
    impl Counter {
        /// The workers of [`Counter`] where they are deployed, or in this process.
        #[allow(dead_code, unreachable_pub, clippy::too_many_arguments)]
        #[must_use]
        fn remote() -> CounterApi {
            CounterApi {}
        }
    }
    #[allow(
        non_camel_case_types,
        unreachable_pub,
        missing_docs,
        missing_debug_implementations
    )]
    struct __Counter_add {}
    const _: () = {
        const __SLOTS: (__flash::Slot<u64>,) = (
            __flash::slot("by", "u64", &__flash::Json),
        );
        const __INSTANCES: __flash::Instances<Counter> = __flash::Instances::shared();
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __flash::Remote for __Counter_add {
            const META: &'static __flash::Meta = &__flash::Meta::new(
                    "Counter-add",
                    __RESOURCE,
                    "API",
                )
                .at(
                    ::core::module_path!(),
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                )
                .is_async(true)
                .returns(&__flash::Returned(Self::RETURNS))
                .ident("Counter")
                .http(__flash::Method::POST, "/add/{by}")
                .status(201u16)
                .method_of(<Counter as __flash::Class>::META, "add")
                .params(&[__SLOTS.0.param()])
                .needs(&[&__INSTANCES])
                .schemas(__flash::schemas!([u64] Result < u64, Error >));
            const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
            type Door = __flash::Http;
            type Args = (u64,);
            type Return = Result<u64, Error>;
            fn decode(
                fields: &mut __flash::Fields<'_>,
            ) -> ::core::option::Option<Self::Args> {
                let __a0 = __SLOTS.0.take(fields);
                ::core::option::Option::Some((__a0?,))
            }
            fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
                let (__a0,) = args;
                __SLOTS.0.put(fields, __a0);
            }
            fn invoke(
                args: Self::Args,
                scope: __flash::Scope,
                form: __flash::ReplyForm,
            ) -> __flash::Invocation {
                ::std::boxed::Box::pin(async move {
                    let (__a0,) = args;
                    let instance = __INSTANCES.get(&scope).await?;
                    __flash::Returns::encode(
                        Self::RETURNS,
                        <Counter>::add(&instance, __a0).await,
                        form,
                    )
                })
            }
        }
        __flash::register!(__Counter_add);
    };
    impl CounterApi {
        /// Calls [`Counter::add()`](Counter::add).
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        fn add(&self, by: u64) -> __flash::Call<__Counter_add> {
            __flash::Call::new((by,))
        }
    }
};
